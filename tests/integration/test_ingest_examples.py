"""The example mappings on the files that they are for: totals in core equal the file's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook
from sqlalchemy import Engine

from domain.access import EVERYTHING
from tests.ingesting import EXAMPLES, adds_up, load, rows
from warehouse.pipeline.report import FileReport
from warehouse.queries import regions

Load = Callable[[str, Path], dict[str, FileReport]]


@pytest.fixture
def load_example(engine: Engine, tmp_path: Path) -> Load:
    """`load_example(name, file)`: the reports by kind, all accepted without a reject."""

    def run(name: str, file: Path) -> dict[str, FileReport]:
        shutil.copy(EXAMPLES / name / "mapping.toml", tmp_path)
        shutil.copy(file, tmp_path)
        report = load(tmp_path, engine)
        assert report.ok, report.files
        for each in report.files:
            assert each.rejected == 0 and adds_up(each)
        return {each.kind: each for each in report.files}

    return run


def test_man_weekly(load_example: Load, engine: Engine, shared_data: Path):
    path = shared_data / "spare_parts" / "man_weekly_3451sku_leadtime_moq.csv.gz"
    reports = load_example("man_weekly", path)
    wide = pd.read_csv(path)
    weeks = wide.filter(regex=r"^w\d{3}$")
    assert reports["demand"].read == weeks.size == 517_650
    assert reports["items"].accepted == len(wide) == 3_451
    first, last = date(2012, 1, 2), date.fromisocalendar(2014, 46, 1)
    assert rows(
        engine,
        "SELECT count(*), sum(quantity), count(DISTINCT item_id), min(date), max(date)"
        " FROM core.demand",
    ) == [(weeks.size, float(weeks.to_numpy().sum()), 3_451, first, last)]
    by_week = dict(rows(engine, "SELECT date, sum(quantity) FROM core.demand GROUP BY 1"))
    for number, total in enumerate(weeks.sum().to_list()):
        week = first + pd.Timedelta(weeks=number)
        assert by_week[week] == total
    part = wide[wide["sku"] == 1].iloc[0]
    ((days, pack, attributes),) = rows(
        engine, "SELECT lead_time_days, pack_size, attributes FROM core.item WHERE sku = '1'"
    )
    assert (days, pack) == (part["lead_time_weeks"] * 7, part["pack_units"])
    assert float(attributes["unit_cost_eur"]) == part["unit_cost_eur"]


def test_car_parts(load_example: Load, engine: Engine, shared_data: Path):
    path = shared_data / "spare_parts" / "carparts_monthly_2674.csv"
    report = load_example("car_parts", path)["demand"]
    months = pd.read_csv(path).set_index("Part")
    missing = int(months.isna().sum().sum())
    assert report.read == months.size
    assert dict(report.dropped) == {"no value in the period": missing}
    assert rows(
        engine, "SELECT count(*), sum(quantity), min(date), max(date) FROM core.demand"
    ) == [(months.size - missing, float(months.sum().sum()), date(1998, 1, 1), date(2002, 3, 1))]
    by_part = rows(
        engine,
        "SELECT sku, sum(quantity) FROM core.demand JOIN core.item USING (item_id) GROUP BY 1",
    )
    assert {int(sku): total for sku, total in by_part} == months.sum(axis=1).to_dict()


def test_scms_deliveries(load_example: Load, engine: Engine, shared_data: Path):
    path = shared_data / "suppliers" / "scms_delivery_history.csv.gz"
    reports = load_example("scms_deliveries", path)
    lines = pd.read_csv(path, keep_default_na=False)
    direct = lines[lines["Fulfill Via"] == "Direct Drop"]
    assert len(direct) == 4_920
    assert sum(reports["purchase_orders"].dropped.values()) == len(lines) - len(direct)
    assert reports["suppliers"].accepted == direct["Vendor"].nunique() == 72
    assert reports["items"].accepted == direct["Item Description"].nunique()
    found = rows(
        engine,
        "SELECT count(*), count(*) FILTER (WHERE order_dated), sum(quantity),"
        " count(DISTINCT supplier_id), min(ordered_on), max(received_on)"
        " FROM core.purchase_order",
    )
    told = direct["PO Sent to Vendor Date"].replace("Date Not Captured", None)
    ordered = pd.to_datetime(told, format="%m/%d/%y")
    received = pd.to_datetime(direct["Delivered to Client Date"], format="%d-%b-%y")
    notes = reports["purchase_orders"].notes
    assert list(notes.values()) == [(ordered > received).sum()] == [5]
    dated = ordered <= received
    assert found == [
        (
            len(direct),
            int(dated.sum()),
            float(direct["Line Item Quantity"].sum()),
            direct["Vendor"].nunique(),
            ordered[dated].min().date(),
            received.max().date(),
        )
    ]
    late = pd.to_datetime(direct["Scheduled Delivery Date"], format="%d-%b-%y") < received
    assert rows(
        engine, "SELECT count(*) FROM core.purchase_order WHERE received_on > promised_on"
    ) == [(int(late.sum()),)]


HEADER = (
    "Nº SOLIC.",
    "ITEM",
    "DATA DA SOLICITAÇÃO",
    "DATA DE COMPRA",
    "PREV. ENTREGA",
    "DATA DE ENTREGA",
    "CÓD. PRODUTO",
    "PRODUTO/SERVIÇO",
    "FAMÍLIA",
    "UND.",
    "QTDE.",
    "VALOR UNIT. (R$)",
    "NOME FORNEC.",
    "SITE",
)
YEARS: dict[str, list[tuple[Any, ...]]] = {
    "2023": [
        # a typed row, as Excel keeps it
        (1001, 1, datetime(2023, 3, 1), datetime(2023, 3, 6), datetime(2023, 3, 20),
         datetime(2023, 3, 25), "M-001", "CABO ÓPTICO 12FO", "FIBRA", "MT", 1500, 2.75,
         "FURUKAWA", "BA-SSA-01"),
        # the same line exported twice
        (1001, 1, datetime(2023, 3, 1), datetime(2023, 3, 6), datetime(2023, 3, 20),
         datetime(2023, 3, 25), "M-001", "CABO ÓPTICO 12FO", "FIBRA", "MT", 1500, 2.75,
         "FURUKAWA", "BA-SSA-01"),
        # a service
        (1001, 2, datetime(2023, 3, 1), datetime(2023, 3, 6), None, None, "S-900",
         "INSTALAÇÃO EM CAMPO", "SERVIÇO", "HR", 8, 120, "ENGEMAN", "BA-SSA-01"),
        # texts where Excel could have had numbers and dates; no site
        (1002, 1, "10/04/2023", "12/04/2023", "30/04/2023", None, "M-002",
         "BATERIA 12V 100AH", "ENERGIA", "PÇ", "1.200", "1.234,50", "MOURA", None),
    ],
    "2024": [
        # requested after it was bought
        (1003, 1, datetime(2024, 2, 10), datetime(2024, 2, 1), None, datetime(2024, 2, 20),
         "M-002", "BATERIA 12V 100AH", "ENERGIA", "UNID", 4, 1300.25, "MOURA", "PE-REC-02"),
        # no supplier yet
        (1004, 1, datetime(2024, 2, 1), datetime(2024, 2, 3), None, None, "M-003",
         "LUVA ISOLANTE", "EPI", "PR", 10, 89.9, None, "PE-REC-02"),
    ],
}  # fmt: skip


@pytest.fixture
def requests_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A purchase-request export with title rows, a sheet a year and a summary sheet."""
    workbook = Workbook()
    workbook.create_sheet("RESUMO").append(["TOTAL", 6])
    for year, lines in YEARS.items():
        sheet = workbook.create_sheet(year)
        sheet.append(["SOLICITAÇÕES DE COMPRA"])
        sheet.append([f"Emitido em 31/12/{year}"])
        sheet.append([*HEADER[:-1], "  Site "])
        for line in lines:
            sheet.append(line)
    path = tmp_path_factory.mktemp("export") / "Solicitações_de_compra.xlsx"
    workbook.save(path)
    return path


def test_brazilian_purchase_requests(load_example: Load, engine: Engine, requests_workbook: Path):
    load_example("brazilian_purchase_requests", requests_workbook)
    totals = rows(
        engine,
        "SELECT kind, part, rows_read, rows_accepted, rows_filtered, rows_merged"
        " FROM staging.load WHERE kind IN ('demand', 'items') ORDER BY kind, part",
    )
    assert totals == [
        ("demand", "2023", 4, 2, 1, 1),
        ("demand", "2024", 2, 2, 0, 0),
        ("items", "2023", 4, 2, 1, 1),
        ("items", "2024", 2, 2, 0, 0),
    ]
    assert rows(
        engine,
        "SELECT order_no, line, sku, supplier, site, requested_on, ordered_on, quantity,"
        " unit_price_brl FROM core.purchase_order JOIN core.item USING (item_id)"
        " JOIN core.site USING (site_id) JOIN core.supplier ON supplier.supplier_id ="
        " purchase_order.supplier_id ORDER BY 1, 2",
    ) == [
        ("1001", "1", "M-001", "FURUKAWA", "BA-SSA-01", date(2023, 3, 1), date(2023, 3, 6),
         1500.0, 2.75),
        ("1002", "1", "M-002", "MOURA", "-", date(2023, 4, 10), date(2023, 4, 12),
         1200.0, 1234.5),
        ("1003", "1", "M-002", "MOURA", "PE-REC-02", None, date(2024, 2, 1), 4.0, 1300.25),
        ("1004", "1", "M-003", "-", "PE-REC-02", date(2024, 2, 1), date(2024, 2, 3), 10.0, 89.9),
    ]  # fmt: skip
    assert rows(engine, "SELECT sku, unit FROM core.item ORDER BY sku") == [
        ("M-001", "M"),
        ("M-002", "UN"),
        ("M-003", "PR"),
    ]
    assert rows(engine, "SELECT sum(quantity) FROM core.demand") == [(2714.0,)]


def test_request_dates_that_were_cleared_are_reported(load_example: Load, requests_workbook: Path):
    report = load_example("brazilian_purchase_requests", requests_workbook)["purchase_orders"]
    assert report.part == "2024"
    note = "requested_on lies after ordered_on: requested_on was cleared"
    assert dict(report.notes) == {note: 1}


@pytest.mark.usefixtures("nova")
def test_anatel_stations(load_example: Load, engine: Engine, shared_data: Path):
    path = shared_data / "telecom" / "anatel_erbs_uf.csv"
    load_example("anatel_stations", path)
    wide = pd.read_csv(path, na_values="null")
    shown = regions.rows(scope=EVERYTHING)
    assert len(shown) == 27
    columns = wide.filter(regex="^TCN_")
    assert sum(row.stations or 0 for row in shown) == columns.sum().sum()
    by_name = wide.groupby("UF")[list(columns)].sum().sum(axis=1)
    assert {row.name: row.stations for row in shown} == by_name.to_dict()
    by_region = regions.rows(scope=EVERYTHING, by=regions.REGION)
    assert sum(row.stations or 0 for row in by_region) == sum(by_name)


def test_ai4i(load_example: Load, engine: Engine, shared_data: Path):
    path = shared_data / "equipment" / "ai4i2020.csv"
    reports = load_example("ai4i_2020", path)
    table = pd.read_csv(path)
    assert reports["equipment"].accepted == len(table) == 10_000
    sql = (
        "SELECT count(*), sum(failure), sum((readings ->> 'Torque')::float)"
        " FROM core.equipment_reading"
    )
    ((count, failures, torque),) = rows(engine, sql)
    assert (count, failures) == (10_000, 339)
    assert torque == pytest.approx(table["Torque"].sum())
    assert rows(
        engine, "SELECT DISTINCT jsonb_object_keys(readings) FROM core.equipment_reading ORDER BY 1"
    ) == [
        ("Air temperature",),
        ("Process temperature",),
        ("Rotational speed",),
        ("Tool wear",),
        ("Torque",),
    ]
