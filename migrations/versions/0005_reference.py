"""Reference rows: five regions, 27 federative units, and the two codes for "unknown".

Codes, names and capitals: IBGE, Divisão Territorial Brasileira. Coordinates are the capitals'.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REGIONS = {"N": "Norte", "NE": "Nordeste", "CO": "Centro-Oeste", "SE": "Sudeste", "S": "Sul"}

UFS = """\
RO|11|Rondônia|N|Porto Velho|-8.7612|-63.9004|America/Porto_Velho
AC|12|Acre|N|Rio Branco|-9.9754|-67.8249|America/Rio_Branco
AM|13|Amazonas|N|Manaus|-3.1190|-60.0217|America/Manaus
RR|14|Roraima|N|Boa Vista|2.8235|-60.6758|America/Boa_Vista
PA|15|Pará|N|Belém|-1.4558|-48.4902|America/Belem
AP|16|Amapá|N|Macapá|0.0349|-51.0694|America/Belem
TO|17|Tocantins|N|Palmas|-10.1844|-48.3336|America/Araguaina
MA|21|Maranhão|NE|São Luís|-2.5307|-44.3068|America/Fortaleza
PI|22|Piauí|NE|Teresina|-5.0892|-42.8019|America/Fortaleza
CE|23|Ceará|NE|Fortaleza|-3.7319|-38.5267|America/Fortaleza
RN|24|Rio Grande do Norte|NE|Natal|-5.7945|-35.2110|America/Fortaleza
PB|25|Paraíba|NE|João Pessoa|-7.1195|-34.8450|America/Fortaleza
PE|26|Pernambuco|NE|Recife|-8.0476|-34.8770|America/Recife
AL|27|Alagoas|NE|Maceió|-9.6498|-35.7089|America/Maceio
SE|28|Sergipe|NE|Aracaju|-10.9472|-37.0731|America/Maceio
BA|29|Bahia|NE|Salvador|-12.9777|-38.5016|America/Bahia
MG|31|Minas Gerais|SE|Belo Horizonte|-19.9167|-43.9345|America/Sao_Paulo
ES|32|Espírito Santo|SE|Vitória|-20.3155|-40.3128|America/Sao_Paulo
RJ|33|Rio de Janeiro|SE|Rio de Janeiro|-22.9068|-43.1729|America/Sao_Paulo
SP|35|São Paulo|SE|São Paulo|-23.5505|-46.6333|America/Sao_Paulo
PR|41|Paraná|S|Curitiba|-25.4284|-49.2733|America/Sao_Paulo
SC|42|Santa Catarina|S|Florianópolis|-27.5954|-48.5480|America/Sao_Paulo
RS|43|Rio Grande do Sul|S|Porto Alegre|-30.0346|-51.2177|America/Sao_Paulo
MS|50|Mato Grosso do Sul|CO|Campo Grande|-20.4697|-54.6201|America/Campo_Grande
MT|51|Mato Grosso|CO|Cuiabá|-15.6014|-56.0979|America/Cuiaba
GO|52|Goiás|CO|Goiânia|-16.6869|-49.2648|America/Sao_Paulo
DF|53|Distrito Federal|CO|Brasília|-15.7939|-47.8828|America/Sao_Paulo
"""

COLUMNS = ("uf", "ibge_code", "name", "region", "capital", "latitude", "longitude", "timezone")


def _uf_rows() -> list[dict[str, object]]:
    rows = [dict(zip(COLUMNS, line.split("|"), strict=True)) for line in UFS.splitlines()]
    numbers = {"ibge_code": int, "latitude": float, "longitude": float}
    return [{key: numbers.get(key, str)(value) for key, value in row.items()} for row in rows]


def _table(name: str, *columns: str) -> sa.Table:
    return sa.table(name, *(sa.column(column) for column in columns), schema="core")


def upgrade() -> None:
    regions = [{"region": code, "name": name} for code, name in REGIONS.items()]
    op.bulk_insert(_table("region", "region", "name"), regions)
    op.bulk_insert(_table("uf", *COLUMNS), _uf_rows())
    op.execute("INSERT INTO core.site (site_id, site) VALUES (0, '-')")
    op.execute("INSERT INTO core.supplier (supplier_id, supplier) VALUES (0, '-')")


def downgrade() -> None:
    op.execute("DELETE FROM core.supplier WHERE supplier_id = 0")
    op.execute("DELETE FROM core.site WHERE site_id = 0")
    op.execute("DELETE FROM core.uf")
    op.execute("DELETE FROM core.region")
