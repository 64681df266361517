"""Every table as a file: the same rows as CSV, as a workbook and in the API, each cell of its type,
a last sheet that says what it is of, and memory that does not grow with the rows."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import Engine, text

from api.exporting import EXPORTS, Export, plain
from api.routing import ROUTES
from dashboard.i18n import translator
from domain.access import Role
from domain.clock import BRASILIA
from domain.columns import DEFINITIONS
from domain.sheets import BYTE_ORDER_MARK, Cell, Sheet, write_xlsx
from tests import services
from tests.factories import LAST_DAY
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Site, run_of_data_to
from warehouse.partitions import ensure_years

MANY, MOST_MB = 200_000, 300
ITEM, DEPOT = "BAT-02", "DEP-SP"
NAMED = {"sku": ITEM, "site": DEPOT}
"""What is put into the query of a file that is of one thing."""
ASKED: dict[str, dict[str, str]] = {
    name: query
    for names, query in (
        ("series-accuracy projections driver-months stock-counts policy", NAMED),
        ("open-orders order-lines suppliers supplier-totals", {"sku": ITEM}),
        ("supplier-months supplier-lead-times supplier-later-deliveries", {"supplier": "ALFA"}),
        ("project-curve project-months project-statuses", {"project": "PRJ-1"}),
    )
    for name in names.split()
}
WITHOUT_ROWS = {
    *("drivers", "driver-periods", "driver-lags", "driver-contributions", "driver-months"),
    *("item-drivers", "overrides", "map-transfers", "reports", "report-deliveries"),
    *("savings", "savings-items", "savings-months", "sla", "outages", "contract-months"),
    *("contract-days", "contract-parts", "supplier-lead-times", "purchase-request"),
}
"""Files that nothing is in, of the data of `site`."""

EXPLAINED = frozenset(map(translator("pt_BR"), DEFINITIONS.values()))
LOADED = ("temperature_c", "latency_ms")
"""Columns that a loaded file brought: they go by their own names."""

SAME_AS = {
    "alerts": "/alerts",
    "recommendations": "/recommendations",
    "materials": "/materials",
    "inventory": "/inventory",
    "items": "/items",
    "forecasts": "/forecasts",
    "ufs": "/geographic/data",
    "model-performance": "/models/performance",
    "users": "/users",
    "runs": "/runs",
    "loads": "/loads",
}


def read_csv(content: bytes, delimiter: str = ";") -> list[list[str]]:
    words = content.decode()
    assert words.startswith(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(words.removeprefix(BYTE_ORDER_MARK)), delimiter=delimiter))


def read_xlsx(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


def table_of(book: Workbook) -> list[list[Any]]:
    (sheet, *_) = book.worksheets
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def told_by(book: Workbook) -> dict[Any, Any]:
    """The rows of the sheet about the file."""
    return {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows(min_row=2)}


def asked(export: Export) -> dict[str, str]:
    named = {name: value for name, value in NAMED.items() if name in export.query.model_fields}
    return ASKED.get(export.name, named)


@pytest.fixture(scope="module")
def admin(site: Site) -> Api:
    return site.api(ADMIN)


def test_a_file_tells_the_last_day_of_an_older_run_apart(site: Site, admin: Api) -> None:
    with run_of_data_to(site, LAST_DAY - timedelta(days=9)):
        told = told_by(read_xlsx(admin.get("/exports/alerts.xlsx").content))
    assert told["Dados até"] == datetime(2025, 6, 29)
    assert told["Previsões com dados até"] == datetime(2025, 6, 20)


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_both_files_hold_the_same_rows_and_every_column_is_explained(
    admin: Api, export: Export
) -> None:
    path, params = f"/exports/{export.name}", asked(export)
    plain = admin.get(f"{path}.csv", params=params)
    packed = admin.get(f"{path}.xlsx", params=params)
    assert (plain.status_code, packed.status_code) == (200, 200), plain.text
    assert int(packed.headers["Content-Length"]) == len(packed.content)
    (header, *rows), book = read_csv(plain.content), read_xlsx(packed.content)
    told = told_by(book)
    assert told["Feito para"] == ADMIN and told["Dados até"] == datetime(2025, 6, 29)
    assert told["Rodada"] == 1 and isinstance(told["Calculado em"], datetime)
    assert [one for one in header if told[one] not in EXPLAINED and one not in LOADED] == []
    assert rows or export.name in WITHOUT_ROWS
    if export.name == "purchase-request":
        return  # it has a sheet for each supplier
    assert len(book.worksheets) == 2
    (shown, *lines) = table_of(book)
    assert shown == header and len(lines) == len(rows)
    for text_row, row in zip(rows, lines, strict=True):
        assert [cell for cell in zip(text_row, row, strict=True) if not is_same(*cell)] == []


def is_same(words: str, value: Any) -> bool:
    """Whether a workbook's cell is what the Portuguese CSV file says, of the type that it is of."""
    if value is None or isinstance(value, str):
        return words == (value or "")
    if isinstance(value, bool):
        return words == str(int(value))
    if isinstance(value, datetime):
        told = datetime.fromisoformat(words)
        local = told.astimezone(BRASILIA).replace(tzinfo=None) if told.tzinfo else told
        return abs(local - value) < timedelta(minutes=1)
    return float(words.replace(",", ".")) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("name", "path"), SAME_AS.items())
def test_a_file_has_the_rows_of_the_api(admin: Api, name: str, path: str) -> None:
    header, *rows = read_csv(admin.get(f"/exports/{name}.csv").content)
    route = next(one for one in ROUTES if (one.method, one.path) == ("GET", path))
    limit = {"limit": 500} if "limit" in route.query.model_fields else {}
    answer = admin.get(path, params=limit).json()
    assert len(rows) == answer["meta"]["count"]
    assert [row[0] for row in rows] == [str(one[header[0]]) for one in answer["data"]]


def test_filters_and_scope_narrow_a_file_and_both_are_on_record(site: Site) -> None:
    api = site.api(SCOPED)
    for ending in ("csv", "xlsx"):
        answer = api.get(f"/exports/alerts.{ending}", params={"level": "critical,warning"})
        row = site.audit("export")[-1]
        assert (row.actor, row.object) == (SCOPED, "alerts")
        assert row.after == {"level": "critical, warning", "file": ending}
    book = read_xlsx(answer.content)
    header, *rows = table_of(book)
    assert {row[header.index("uf")] for row in rows} <= {"BA"}
    told = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert told["Filtros"] == "level=critical, warning"
    assert told["O que o leitor pode ver"] == "BA"
    whole = table_of(read_xlsx(site.api(ANALYST).get("/exports/alerts.xlsx").content))
    assert len(whole) - 1 > len(rows)
    assert api.get("/exports/users.csv").status_code == 403
    assert site.api(VIEWER).get("/exports/alerts.xlsx").status_code == 403


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "open purchase orders included"), ("pt-BR", "inclusive pedidos de compra em aberto")],
)
def test_what_is_in_transit_is_told_to_be_orders_too(site: Site, language: str, said: str) -> None:
    headers = {"Accept-Language": language}
    answer = site.api(ANALYST).get("/exports/inventory.xlsx", headers=headers)
    about = read_xlsx(answer.content).worksheets[-1]
    told = {row[0].value: row[1].value for row in about.iter_rows()}
    assert said in str(told["in_transit"])


def test_a_workbook_is_in_the_readers_language(site: Site) -> None:
    answer = site.api(ANALYST).get("/exports/kpis.xlsx", headers={"Accept-Language": "en"})
    book = read_xlsx(answer.content)
    assert book.sheetnames == ["kpis", "About this file"]
    told = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert told["Filters"] == "none" and told["unit"] == DEFINITIONS["kpis.unit"]
    header, *rows = table_of(book)
    (value,) = (dict(zip(header, row, strict=True)) for row in rows if "inventory_value" in row)
    assert value["formula"] == r"V = \sum q \cdot c" and "stock on hand" in value["inputs"]
    parts = [float(part.partition("=")[2]) for part in value["parts"].split("; ")]
    assert sum(parts) == pytest.approx(value["value"])


def test_the_file_of_the_indicators_says_which_filters_each_follows(site: Site) -> None:
    content = site.api(ANALYST).get("/exports/kpis.csv?family=energia&uf=SP").content
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
    told = {row["key"]: (row["filter"], row["left_out"]) for row in rows}
    assert told["demand_value"] == ("uf=SP; family=energia", "")
    assert told["sla_availability"] == ("uf=SP", "family")


@pytest.mark.parametrize("name", ["ufs", "regions"])
def test_rates_are_numbers_in_files_of_what_nobody_has_asked_before(admin: Api, name: str) -> None:
    span = {"from": "2025-05-03", "to": "2025-06-11"}
    header, *rows = table_of(read_xlsx(admin.get(f"/exports/{name}.xlsx", params=span).content))
    rates = [row[header.index("stockout_rate")] for row in rows]
    known = [rate for rate in rates if rate is not None]
    assert known and all(isinstance(rate, int | float) for rate in known), rates


def test_exact_decimals_are_numbers_in_files() -> None:
    assert isinstance(plain(Decimal("0.1")), float) and plain([Decimal("0.5")]) == "0.5"


def test_a_workbook_is_written_while_another_worker_clears_away(admin: Api, home: Path) -> None:
    vanished = home / "scratch" / "vanished"
    vanished.parent.mkdir(exist_ok=True)
    vanished.symlink_to("nowhere")
    answer = admin.get("/exports/alerts.xlsx")
    vanished.unlink()
    assert answer.status_code == 200, answer.text


def test_cells_have_their_types_and_long_tables_go_on(tmp_path: Path) -> None:
    row: list[Cell] = [
        date(2025, 6, 29),
        datetime(2025, 6, 29, 12, tzinfo=UTC),
        1.5,
        True,
        "=1+1",
        None,
        "-3",
    ]
    full: list[Cell] = [*row, float("nan"), date(1899, 12, 30), "é\x00" + "a" * 40_000]
    with (tmp_path / "book.xlsx").open("wb") as file:
        sheets = [Sheet("a/b", ["=x"], [full] * 3), Sheet("A b", [], [])]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("domain.sheets.SHEET_ROWS", 2)
            write_xlsx(file, sheets, tmp_path)
    book = load_workbook(tmp_path / "book.xlsx")
    assert book.sheetnames == ["a b", "a b 2", "A b 3"]
    assert [sheet.max_row for sheet in book.worksheets] == [3, 2, 1]
    assert book.worksheets[0]["A1"].value == "'=x"
    cells: Any = book.worksheets[1][2]
    day, moment, number, yes, formula, empty, minus, nan, old, long = cells
    assert day.is_date and day.value == datetime(2025, 6, 29)
    assert moment.is_date and moment.value == datetime(2025, 6, 29, 9)
    assert (number.value, number.data_type, yes.value) == (1.5, "n", True)
    assert (formula.value, minus.value, minus.data_type) == ("'=1+1", "'-3", "s")
    assert (empty.value, nan.value, old.value) == (None, None, "1899-12-30")
    assert long.value.startswith("éaa") and len(long.value) == 32_767 and long.value[-1] == "…"


MANY_LINES = """
INSERT INTO core.item (sku) VALUES ('MANY');
INSERT INTO core.site (site) VALUES ('DEP-MANY');
INSERT INTO core.supplier (supplier) VALUES ('SUP-MANY');
INSERT INTO core.purchase_order
    (ordered_on, order_no, line, item_id, supplier_id, site_id, quantity, received_on, load_id)
SELECT day, '=PO-' || n, '1', item_id, supplier.supplier_id, site_id, n % 90 + 0.5, day + 9, 1
FROM generate_series(1, CAST(:many AS bigint)) AS n
CROSS JOIN LATERAL (SELECT DATE '2025-01-01' + CAST(n % 300 AS int) AS day) AS dated,
    core.item, core.supplier, core.site
WHERE sku = 'MANY' AND supplier = 'SUP-MANY' AND site = 'DEP-MANY';
"""


@pytest.fixture(scope="module")
def crowded(
    module_engine: Engine, module_database_url: str, home: Path
) -> Iterator[tuple[Api, list[int]]]:
    """MANY order lines, read through a server whose workers' numbers are known."""
    with module_engine.begin() as connection:
        ensure_years(connection, "core.purchase_order", date(2025, 1, 1), date(2025, 12, 31))
        connection.execute(text(MANY_LINES), {"many": MANY})
    with services.server(home, module_database_url, None) as (url, process):
        site = Site(url, module_engine)
        site.add_user(ANALYST, Role.ANALYST)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield site.api(ANALYST), [int(child) for child in children]


def peak_mb(processes: list[int]) -> float:
    """The most memory that any of them has ever held."""
    found = [Path(f"/proc/{one}/status").read_text() for one in processes]
    return max(int(re.findall(r"VmHWM:\s+(\d+) kB", one)[0]) for one in found) / 1024


@pytest.mark.slow
def test_a_long_table_costs_no_memory_and_keeps_its_types(
    crowded: tuple[Api, list[int]], tmp_path: Path
) -> None:
    api, workers = crowded
    assert len(workers) == 2
    plain = api.get("/exports/order-lines.csv", stream=True, timeout=300)
    assert sum(piece.count(b"\n") for piece in plain.iter_content(1 << 16)) == MANY + 1
    packed = api.get("/exports/order-lines.xlsx", timeout=300)
    assert packed.status_code == 200
    assert peak_mb(workers) < MOST_MB
    path = tmp_path / "lines.xlsx"
    path.write_bytes(packed.content)
    book = load_workbook(path, read_only=True)
    sheet = book["order-lines"]
    names = [cell.value for cell in next(sheet.iter_rows(max_row=1))]
    cells: Any = next(sheet.iter_rows(min_row=2, max_row=2))
    first = dict(zip(names, cells, strict=True))
    assert first["ordered_on"].is_date and first["received_on"].is_date
    assert {first[name].data_type for name in ("quantity", "lead_time_days")} == {"n"}
    assert first["order_no"].value.startswith("'=PO-")
    assert last_line(path) == MANY + 1
    book.close()


def last_line(path: Path) -> int:
    """The number of the last row in the first sheet, without reading its cells."""
    with zipfile.ZipFile(path) as packed, packed.open("xl/worksheets/sheet1.xml") as sheet:
        tail = b""
        while piece := sheet.read(1 << 20):
            tail = tail[-(1 << 12) :] + piece
    return int(re.findall(rb'<row r="(\d+)"', tail)[-1])


def test_libreoffice_reads_dates_as_dates_and_numbers_as_numbers(
    admin: Api, tmp_path: Path
) -> None:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("not installed: LibreOffice (see `make test`)")
    path = tmp_path / "order-lines.xlsx"
    path.write_bytes(admin.get("/exports/order-lines.xlsx").content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [program, profile, "--headless", "--convert-to", "fods", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(path)], check=True, timeout=120, capture_output=True)
    told = (tmp_path / "order-lines.fods").read_text()
    assert 'office:value-type="date"' in told and 'office:value-type="float"' in told
