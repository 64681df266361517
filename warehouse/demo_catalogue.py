"""What the invented company of the demo data stocks, where it works and who supplies it.

Every company name is fictitious; prices are plausible for Brazil in 2026, in BRL.
"""

from __future__ import annotations

from typing import NamedTuple


class Supplier(NamedTuple):
    """`late_share` of its lines come after the promised date; `contract` is its lead time, days;
    `raises`: by what share its prices grow a year, in BRL or, of an import, in its currency."""

    code: str
    name: str
    kind: str
    contract: int
    late_share: float
    raises: float


class Material(NamedTuple):
    """`rate`: units of issue a day at a mid-sized depot or, for lumpy ones, an occasion; `pattern`:
    the class that it should be. `rain`, `rollout`, `renewal`: how far demand follows the wet week,
    the pace of the 5G roll-out and the contract renewals of January and July (1: doubles)."""

    sku: str
    name: str
    family: str
    unit: str
    cost: float
    criticality: int
    supplier: str
    pack: int
    pattern: str
    rate: float
    rain: float = 0.0
    rollout: float = 0.0
    renewal: float = 0.0
    shelf_life: int | None = None


class Contract(NamedTuple):
    """`schedule`: hours of downtime a month and site:percent of the monthly fee; `regions` served."""

    code: str
    customer: str
    target: float
    schedule: str
    fee: int
    cap: int
    regions: str


SUPPLIERS = (
    Supplier("F01", "Eletro Andrade Distribuidora", "domestic", 12, 0.14, 0.045),
    Supplier("F02", "Fibranorte Cabos Ópticos", "domestic", 18, 0.22, 0.062),
    Supplier("F03", "Acumuladores Serra Azul", "domestic", 25, 0.31, 0.118),
    Supplier("F04", "Metalúrgica Boa Torre", "domestic", 20, 0.18, 0.031),
    Supplier("F05", "Protege EPI Brasil", "domestic", 8, 0.07, 0.045),
    Supplier("F06", "Ferramentaria Paulista", "domestic", 10, 0.10, 0.018),
    Supplier("F07", "Clima Forte Refrigeração", "domestic", 15, 0.16, 0.074),
    Supplier("F08", "Shenlan RF Components", "import", 60, 0.38, -0.035),
    Supplier("F09", "Nordlink Transceivers", "import", 45, 0.27, 0.012),
    Supplier("F10", "Retífica Watt Power Systems", "import", 50, 0.33, 0.087),
)

MATERIALS = (
    Material("EL-001", "Disjuntor termomagnético 32 A", "Elétrica", "UN", 38.9, 6, "F01", 10, "smooth", 9, 0.25),
    Material("EL-002", "Cabo flexível 16 mm²", "Elétrica", "M", 14.7, 5, "F01", 100, "smooth", 60, 0.1, 0.2),
    Material("EL-003", "Dispositivo de proteção contra surtos 40 kA", "Elétrica", "UN", 129.0, 8, "F01", 5, "erratic", 6, 0.9),
    Material("EL-004", "Quadro de distribuição 12 módulos", "Elétrica", "UN", 214.0, 5, "F01", 1, "intermittent", 0.5),
    Material("EL-005", "Conector de aterramento tipo cunha", "Elétrica", "UN", 11.2, 4, "F01", 50, "smooth", 14, 0.3),
    Material("EL-006", "Haste de aterramento cobreada 2,4 m", "Elétrica", "UN", 72.5, 5, "F01", 10, "intermittent", 0.9, 0.4),
    Material("EL-007", "Fita isolante alta fusão", "Elétrica", "UN", 24.3, 3, "F01", 20, "smooth", 11, 0.4),
    Material("EL-008", "Luz de balizamento LED para torre", "Elétrica", "UN", 486.0, 9, "F01", 1, "intermittent", 0.4, 0.5),
    Material("FO-001", "Cabo óptico autossustentado 12 FO", "Fibra óptica", "M", 6.9, 8, "F02", 500, "lumpy", 420, 0.3, 0.5),
    Material("FO-002", "Conector SC/APC de campo", "Fibra óptica", "UN", 9.8, 6, "F02", 50, "smooth", 26, 0.2, 0.6),
    Material("FO-003", "Cordão óptico LC-LC duplex 10 m", "Fibra óptica", "UN", 46.0, 6, "F02", 10, "smooth", 8, 0.1, 0.7),
    Material("FO-004", "Caixa de emenda óptica 48 fibras", "Fibra óptica", "UN", 258.0, 7, "F02", 2, "intermittent", 0.9, 0.6, 0.4),
    Material("FO-005", "Transceptor SFP+ 10 km", "Fibra óptica", "UN", 312.0, 9, "F09", 1, "erratic", 2.6, 0.1, 0.8),
    Material("FO-006", "Protetor de emenda óptica", "Fibra óptica", "CX", 42.0, 4, "F02", 1, "smooth", 6, 0.3, 0.3),
    Material("FO-007", "Bastidor DIO 24 portas", "Fibra óptica", "UN", 534.0, 6, "F02", 1, "lumpy", 3, 0.0, 0.6),
    Material("BE-001", "Bateria estacionária VRLA 12 V 150 Ah", "Baterias e energia", "UN", 1180.0, 10, "F03", 4, "lumpy", 5, 0.5, 0.0, 0.5, 540),
    Material("BE-002", "Bateria de lítio 48 V 100 Ah", "Baterias e energia", "UN", 6450.0, 10, "F10", 1, "lumpy", 1.2, 0.3, 0.5, 0.6, 720),
    Material("BE-003", "Retificador 48 V 3 kW", "Baterias e energia", "UN", 2890.0, 10, "F10", 1, "intermittent", 0.35, 0.6),
    Material("BE-004", "Módulo de supervisão de energia", "Baterias e energia", "UN", 1740.0, 8, "F10", 1, "intermittent", 0.18, 0.3),
    Material("BE-005", "Filtro de óleo para grupo gerador", "Baterias e energia", "UN", 64.0, 6, "F01", 6, "erratic", 2.2, 0.4, 0.0, 0.4),
    Material("BE-006", "Óleo lubrificante 15W-40", "Baterias e energia", "L", 31.5, 5, "F01", 20, "smooth", 18, 0.3, 0.0, 0.3, 900),
    Material("BE-007", "Bateria de partida 12 V 100 Ah", "Baterias e energia", "UN", 690.0, 8, "F03", 1, "intermittent", 0.4, 0.3, 0.0, 0.3, 365),
    Material("BE-008", "Inversor 48 Vcc/220 Vca 1,5 kVA", "Baterias e energia", "UN", 3120.0, 8, "F10", 1, "intermittent", 0.15, 0.4),
    Material("ES-001", "Parafuso estrutural M16 galvanizado", "Estrutura", "UN", 7.4, 4, "F04", 100, "smooth", 40, 0.0, 0.2, 0.3),
    Material("ES-002", "Abraçadeira galvanizada para esteira", "Estrutura", "UN", 13.9, 3, "F04", 50, "smooth", 16, 0.1, 0.3),
    Material("ES-003", "Tinta de sinalização laranja aeronáutico", "Estrutura", "L", 58.0, 5, "F04", 18, "lumpy", 34, -0.4, 0.0, 0.9, 540),
    Material("ES-004", "Perfil de aço galvanizado L 50×50", "Estrutura", "KG", 17.8, 4, "F04", 50, "lumpy", 120, 0.0, 0.5, 0.4),
    Material("ES-005", "Trava-quedas para cabo de aço", "Estrutura", "UN", 420.0, 9, "F05", 1, "intermittent", 0.45, 0.0, 0.0, 0.6),
    Material("ES-006", "Chumbador mecânico M20", "Estrutura", "UN", 22.6, 5, "F04", 20, "erratic", 7, 0.0, 0.6, 0.2),
    Material("EP-001", "Luva isolante classe 2", "EPI", "PAR", 389.0, 9, "F05", 1, "intermittent", 0.8, 0.0, 0.1, 0.8, 365),
    Material("EP-002", "Capacete com jugular", "EPI", "UN", 68.0, 7, "F05", 10, "erratic", 3.0, 0.0, 0.1, 0.9),
    Material("EP-003", "Cinturão paraquedista com talabarte", "EPI", "KIT", 612.0, 10, "F05", 1, "intermittent", 0.6, 0.0, 0.1, 0.9, 720),
    Material("EP-004", "Óculos de proteção incolor", "EPI", "UN", 9.9, 4, "F05", 24, "smooth", 7, 0.0, 0.1, 0.5),
    Material("EP-005", "Protetor solar FPS 60", "EPI", "UN", 27.5, 3, "F05", 24, "smooth", 8, -0.3, 0.0, 0.2, 360),
    Material("FE-001", "Broca SDS 16 mm", "Ferramentas", "UN", 41.0, 3, "F06", 5, "erratic", 3.2, 0.0, 0.4),
    Material("FE-002", "Clivador de fibra óptica", "Ferramentas", "UN", 890.0, 6, "F06", 1, "intermittent", 0.14, 0.0, 0.4),
    Material("FE-003", "Alicate de compressão coaxial", "Ferramentas", "UN", 156.0, 4, "F06", 1, "intermittent", 0.3),
    Material("FE-004", "Disco de corte 7 pol", "Ferramentas", "UN", 8.7, 2, "F06", 25, "erratic", 9, 0.0, 0.3, 0.2),
    Material("CL-001", "Filtro de ar para gabinete", "Climatização", "UN", 54.0, 6, "F07", 6, "smooth", 7, -0.3),
    Material("CL-002", "Ventilador axial 48 Vcc", "Climatização", "UN", 338.0, 8, "F07", 1, "erratic", 2.0, -0.2),
    Material("CL-003", "Compressor rotativo 18.000 BTU", "Climatização", "UN", 1490.0, 8, "F07", 1, "intermittent", 0.3, -0.3),
    Material("CL-004", "Fluido refrigerante R-410A", "Climatização", "KG", 96.0, 5, "F07", 11, "lumpy", 14, -0.3),
    Material("RF-001", "Antena setorial 3,5 GHz 64T64R", "RF e antenas", "UN", 18400.0, 9, "F08", 1, "lumpy", 0.9, 0.0, 1.8),
    Material("RF-002", "Unidade remota de rádio 40 W", "RF e antenas", "UN", 9750.0, 10, "F08", 1, "intermittent", 0.22, 0.4, 1.0),
    Material("RF-003", "Jumper coaxial 1/2 pol 3 m", "RF e antenas", "UN", 118.0, 7, "F08", 10, "erratic", 5, 0.5, 0.5),
    Material("RF-004", "Conector N macho 7/8 pol", "RF e antenas", "UN", 61.0, 6, "F08", 20, "erratic", 6, 0.4, 0.2),
    Material("RF-005", "Kit de vedação a frio", "RF e antenas", "KIT", 33.0, 6, "F08", 20, "erratic", 8, 0.7, 0.3),
    Material("RF-006", "Protetor de surto coaxial DIN", "RF e antenas", "UN", 205.0, 8, "F08", 5, "intermittent", 0.8, 1.0),
)  # fmt: skip

EQUIPMENT_PARTS = {
    "BE-001": ("banco de baterias", 4),
    "BE-003": ("retificador", 1),
    "BE-007": ("grupo gerador", 1),
    "CL-003": ("ar-condicionado", 1),
}
"""Part by the kind of equipment whose failure takes it, and how many of it."""

DEPOTS = {
    "RO": ("Porto Velho", -8.76, -63.90, 0.45),
    "AC": ("Rio Branco", -9.98, -67.82, 0.30),
    "AM": ("Manaus", -3.12, -60.02, 0.75),
    "RR": ("Boa Vista", 2.82, -60.68, 0.28),
    "PA": ("Belém", -1.46, -48.49, 0.95),
    "AP": ("Macapá", 0.03, -51.05, 0.30),
    "TO": ("Palmas", -10.18, -48.33, 0.42),
    "MA": ("São Luís", -2.53, -44.31, 0.70),
    "PI": ("Teresina", -5.09, -42.80, 0.52),
    "CE": ("Fortaleza", -3.73, -38.53, 1.00),
    "RN": ("Natal", -5.79, -35.21, 0.58),
    "PB": ("João Pessoa", -7.12, -34.85, 0.58),
    "PE": ("Recife", -8.05, -34.88, 1.05),
    "AL": ("Maceió", -9.65, -35.71, 0.50),
    "SE": ("Aracaju", -10.95, -37.07, 0.45),
    "BA": ("Salvador", -12.98, -38.50, 1.30),
    "MG": ("Belo Horizonte", -19.92, -43.93, 1.60),
    "ES": ("Vitória", -20.32, -40.31, 0.75),
    "RJ": ("Rio de Janeiro", -22.91, -43.17, 1.55),
    "SP": ("São Paulo", -23.55, -46.63, 2.40),
    "PR": ("Curitiba", -25.43, -49.27, 1.25),
    "SC": ("Florianópolis", -27.60, -48.55, 1.00),
    "RS": ("Porto Alegre", -30.03, -51.22, 1.25),
    "MS": ("Campo Grande", -20.47, -54.62, 0.60),
    "MT": ("Cuiabá", -15.60, -56.10, 0.65),
    "GO": ("Goiânia", -16.69, -49.26, 0.90),
    "DF": ("Brasília", -15.79, -47.88, 0.85),
}
"""Capital, latitude, longitude and size of the depot of each federative unit."""

WET_MONTHS = {
    "N": (12, 1, 2, 3, 4, 5),
    "NE": (3, 4, 5, 6, 7),
    "CO": (10, 11, 12, 1, 2, 3),
    "SE": (10, 11, 12, 1, 2, 3),
    "S": (6, 7, 8, 9, 10),
}

REGION_OF = {
    uf: region
    for region, ufs in {
        "N": "RO AC AM RR PA AP TO",
        "NE": "MA PI CE RN PB PE AL SE BA",
        "SE": "MG ES RJ SP",
        "S": "PR SC RS",
        "CO": "MS MT GO DF",
    }.items()
    for uf in ufs.split()
}

CONTRACTS = (
    Contract("CT-ATL-01", "Atlântida Móvel", 99.5, "3.6:3;7.3:6;14.6:12", 2_450_000, 20, "SE CO"),
    Contract("CT-ATL-02", "Atlântida Móvel Norte", 99.0, "7.3:2;14.6:5;29.2:10", 980_000, 15, "N"),
    Contract("CT-CRZ-01", "Cruzeiro Telecom", 99.5, "3.6:2;7.3:5;14.6:10", 1_870_000, 20, "NE SE"),
    Contract("CT-CRZ-02", "Cruzeiro Telecom Sul", 99.7, "2.2:3;4.4:6;8.8:12", 1_120_000, 25, "S"),
    Contract(
        "CT-TRB-01", "Torres Reunidas do Brasil", 99.9, "0.7:2;1.5:5;3.0:10", 3_300_000, 8, "SE S"
    ),
    Contract("CT-IPE-01", "Ipê Torres", 99.0, "7.3:2;14.6:4;29.2:8", 760_000, 12, "N NE CO"),
)

PROJECTS = (
    ("Expansão 5G", ("RF", "FO", "BE")),
    ("Troca de bancos de baterias", ("BE",)),
    ("Modernização de aterramento", ("EL", "ES")),
)
"""Kind of project and how the codes of the materials that it takes begin."""
