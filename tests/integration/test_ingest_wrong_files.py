"""A wrong file ends in a message that names the place, and `core` is as it was."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from sqlalchemy import Engine

from dashboard.i18n import translator
from domain.clock import today
from domain.errors import BadFile, BadMapping, InvalidInput
from layouts.reasons import reason_in
from tests.ingesting import adds_up, counts, load, load_one, rows, write
from warehouse.pipeline import ingest, read_parquet
from warehouse.pipeline.report import FileReport, render_report

GOOD = "date;sku;quantity\n2024-01-01;A;1\n"


@pytest.fixture(scope="module")
def loaded(module_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A database that already holds a little."""
    load(write(tmp_path_factory.mktemp("good"), demand=GOOD), module_engine)
    return module_engine


def refused(path: Path, engine: Engine, **options) -> FileReport:
    """Loads the file, which must be refused without a trace in `core`."""
    before = counts(engine)
    report = load_one(path, engine, **options)
    assert report.state in ("rejected", "failed")
    assert counts(engine) == before
    stored = rows(
        engine, "SELECT state, message FROM staging.load WHERE id = :id", id=report.load_id
    )
    assert stored == [(report.state, report.message)]
    return report


def message(path: Path, engine: Engine) -> str:
    """Why the file was refused, which is told in Portuguese too."""
    shown = refused(path, engine).message or ""
    english, portuguese = (reason_in(shown, translator(one), one) for one in ("en", "pt_BR"))
    assert english == shown != portuguese
    return shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("date;sku;quantidade\n2024-01-01;A;1\n", ["'quantidade'", "closest is 'quantity'"]),
        ("date;sku;quantity;Sku\n2024-01-01;A;1;A\n", ["'Sku'", "appears twice"]),
        ("date;sku\n2024-01-01;A\n", ["'quantity'", "missing"]),
        ("date;sku;quantity;\n2024-01-01;A;1;x\n", ["line 2", "column 4 has no name"]),
        ("date;sku;quantity\n", ["has a header and no rows"]),
        ("", ["is empty"]),
        ("\n\n\n", ["is empty"]),
        ('date;sku;quantity\n2024-01-01;"A;1\n2024-01-02;B;1\n', ["line 2", "never closed"]),
        ("date;sku;quantity\n2024-01-01;A;1.234\n", ["line 2", "'quantity'", "'1.234'", "decimal"]),
    ],
)
def test_a_file_that_cannot_be_understood(loaded: Engine, tmp_path: Path, content, words):
    shown = message(write(tmp_path, demand=content), loaded)
    for word in ["demand.csv", *words]:
        assert word in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"date;sku;quantity\n2024-01-01;\xc3\xa7a;1\n2024-01-02;\xe7\xe3;1\n", ["line 3", "0xe7"]),
        (b"date;sku;quantity\n2024-01-01;A\0;1\n", ["line 2", "NUL"]),
        (b"\xff\xfed\0a\0t\0e\0", ["UTF-16"]),
        (b"\x1f\x8b\x08\x00broken", ["damaged gzip"]),
    ],
)
def test_a_file_that_is_not_text(loaded: Engine, tmp_path: Path, content, words):
    (tmp_path / "demand.csv").write_bytes(content)
    shown = message(tmp_path, loaded)
    for word in ["demand.csv", *words]:
        assert word in shown


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        ("31/02/2025;A;1", "date", "31/02/2025", "does not exist"),
        ("2025-13-01;A;1", "date", "2025-13-01", "does not exist"),
        ("03-04-2025;A;1", "date", "03-04-2025", "not a date"),
        ("0225-01-01;A;1", "date", "0225-01-01", "out of range"),
        (";A;1", "date", None, "is empty"),
        ("2024-01-01;A;dez", "quantity", "dez", "not a number"),
        ("2024-01-01;A;NaN", "quantity", "NaN", "not a number"),
        ("2024-01-01;A;inf", "quantity", "inf", "not a number"),
        ("2024-01-01;A;1e300", "quantity", "1e300", "too large"),
        ("2024-01-01;A;1,5", "quantity", "1,5", "decimal mark"),
        ("2024-01-01;;1", "sku", None, "is empty"),
        ("2024-01-01;A\x07B;1", "sku", "A\x07B", "control character"),
        (f"2024-01-01;{'A' * 201};1", "sku", "A" * 200, "longer than 200"),
        ("2024-01-01;A;1;2", None, "2024-01-01;A;1;2", "has 4 cells"),
    ],
)
def test_a_bad_row_is_named_with_its_place(
    loaded: Engine, tmp_path: Path, row, column, value, reason
):
    write(tmp_path, demand=f"date;sku;quantity\n2024-05-01;B;2.5\n{row}\n2024-05-02;B;1\n")
    report = refused(tmp_path, loaded)
    assert (report.state, report.read, report.rejected) == ("rejected", 3, 1)
    assert adds_up(report)
    (reject,) = report.rejects
    assert (reject.line, reject.column, reject.value) == (3, column, value)
    assert reason in reject.reason
    shown = render_report(load(tmp_path, loaded, dry_run=True))
    assert "demand.csv" in shown and "line 3" in shown and reason in shown
    kept = "SELECT file, line, column_name, value FROM staging.reject WHERE load_id = :id"
    assert rows(loaded, kept, id=report.load_id) == [("demand.csv", 3, column, value)]


@pytest.mark.parametrize(
    ("kind", "content", "column", "reason"),
    [
        ("items", "sku,criticality\nA,11\n", "criticality", "more than 10"),
        ("stock", "date,sku,site,on_hand\n2024-01-01,A,D,-1\n", "on_hand", "is negative"),
        ("items", "sku,active\nA,talvez\n", "active", "neither true nor false"),
        ("sites", "site,uf\nA,XX\n", "uf", "is none of AC"),
        *(
            ("drivers", f"date,driver,value\n2024-01-01,{name},1\n", "driver", "rename it")
            for name in ("holidays", "expected_parts")
        ),
        ("sites", "site,latitude\nA,-91.5\n", "latitude", "less than -90"),
        ("contracts", "contract,penalty_schedule\nC,2%\n", "penalty_schedule", "7.3:2"),
        ("projects", "project;materials\nP;[1]\n", "materials", "not a list of materials"),
        ("projects", f"project;materials\nP;{'[' * 5000}\n", "materials", "is not JSON"),
        (
            "projects",
            'project;materials\nP;"[{""sku"":""A\\u0000"",""quantity"":1,""needed_on"":""2024-01-01""}]"\n',
            "materials",
            "NUL",
        ),
        (
            "equipment",
            "equipment,site,measured_at,temp\nE,T,2024-01-01 10:00,quente\n",
            "temp",
            "not a number",
        ),
        (
            "equipment",
            "equipment,site,measured_at,failure\nE,T,2024-01-01 10:00,2\n",
            "failure",
            "more than 1",
        ),
        ("outages", "outage,site,started_at\nO,T,2024-01-01 25:00\n", "started_at", "not exist"),
        (
            "outages",
            "outage,site,started_at,ended_at\nO,T,2024-01-01 10:00,2024-01-01 09:59\n",
            "started_at",
            "lies after ended_at",
        ),
        (
            "purchase_orders",
            "order,line,sku,supplier,ordered_on,received_on,quantity\n"
            "1,1,A,F,2024-01-02,2024-01-01,1\n",
            "ordered_on",
            "lies after received_on",
        ),
        (
            "projects",
            "project,planned_start,planned_end\nP,2024-01-02,2024-01-01\n",
            "planned_start",
            "lies after planned_end",
        ),
        ("sites", "site,depot\nA,A\n", "depot", "the row's own site"),
    ],
)
def test_limits_of_other_kinds(loaded: Engine, tmp_path: Path, kind, content, column, reason):
    report = refused(write(tmp_path, **{kind: content}), loaded)
    (reject,) = report.rejects
    assert (reject.line, reject.column) == (2, column)
    assert reason in reject.reason


HAPPENED = [
    ("demand", "date;sku;quantity\n{};A;1\n", "date"),
    ("stock", "date;sku;site;on_hand\n{};A;S;1\n", "date"),
    ("equipment", "equipment;site;measured_at\nE;T;{} 10:00\n", "measured_at"),
    ("tower_kpis", "site;date;latency_ms\nT;{};1\n", "date"),
    ("projects", "project;as_of\nP;{}\n", "as_of"),
    ("outages", "outage;site;started_at\nO;T;{} 10:00\n", "started_at"),
    ("outages", "outage;site;started_at;ended_at\nO;T;2024-01-01 10:00;{} 10:00\n", "ended_at"),
    (
        "purchase_orders",
        "order;line;sku;supplier;ordered_on;quantity\n1;1;A;F;{};1\n",
        "ordered_on",
    ),
    (
        "purchase_orders",
        "order;line;sku;supplier;received_on;quantity\n1;1;A;F;{};1\n",
        "received_on",
    ),
]


@pytest.mark.parametrize(("kind", "content", "column"), HAPPENED)
def test_what_has_happened_lies_at_most_a_day_ahead(
    loaded: Engine, tmp_path: Path, kind: str, content: str, column: str
):
    late = str(today() + timedelta(days=2))
    report = refused(write(tmp_path, **{kind: content.format(late)}), loaded)
    (reject,) = report.rejects
    assert (reject.line, reject.column, reject.reason) == (2, column, "lies in the future")
    assert (reject.value or "").startswith(late)
    tomorrow = content.format(today() + timedelta(days=1))
    assert load_one(write(tmp_path, **{kind: tomorrow}), loaded, dry_run=True).state == "dry-run"


def test_what_is_planned_may_lie_ahead(loaded: Engine, tmp_path: Path):
    ahead = today() + timedelta(days=400)
    planned = write(
        tmp_path,
        purchase_orders=f"order;line;sku;supplier;promised_on;quantity\n1;1;A;F;{ahead};1\n",
        projects=f"project;planned_start\nP;{ahead}\n",
        drivers=f"date;driver;value\n{ahead};holiday;1\n",
    )
    assert load(planned, loaded, dry_run=True).ok


def test_a_repeated_key_is_refused_naming_both_lines(loaded: Engine, tmp_path: Path):
    write(tmp_path, demand=GOOD + "2024-01-02;A;1\n2024-01-01;A;2\n")
    report = refused(tmp_path, loaded)
    (reject,) = report.rejects
    assert (reject.line, reject.column) == (4, "date, sku") and "line 2" in reject.reason
    assert adds_up(report)
    write(tmp_path, demand="Emissão;Código;Qtd\n2024-01-01;A;1\n2024-01-01;A;2\n")
    (tmp_path / "mapping.toml").write_text(
        '[[source]]\nkind = "demand"\n'
        '[source.columns]\ndate = "emissao"\nsku = "codigo"\nquantity = "qtd"\n'
    )
    (reject,) = refused(tmp_path, loaded).rejects
    assert reject.column == "Emissão, Código"


def test_one_bad_file_does_not_stop_the_others(loaded: Engine, tmp_path: Path):
    write(tmp_path, items="sku,name\nA,Cabo\n", demand="date;sku;quantity\n2024-01-01;A;x\n")
    report = load(tmp_path, loaded)
    assert [(file.kind, file.state) for file in report.files] == [
        ("items", "accepted"),
        ("demand", "rejected"),
    ]
    assert not report.ok and report.changed


def test_a_workbook_that_unpacks_to_gigabytes(loaded: Engine, tmp_path: Path):
    path = tmp_path / "demand.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1100):
                sheet.write(bytes(1 << 20))
    assert path.stat().st_size < 2 << 20
    shown = message(path, loaded)
    assert "demand.xlsx" in shown and "unpacks to 1,100 MB" in shown


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a workbook", b"date;sku;quantity\n"])
def test_a_workbook_that_is_none(loaded: Engine, tmp_path: Path, content):
    (tmp_path / "demand.xlsx").write_bytes(content)
    assert "is not an XLSX workbook" in message(tmp_path / "demand.xlsx", loaded)


def workbook_of(path: Path, table: list[Any]) -> Path:
    """A workbook of one sheet, as openpyxl writes it."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in table:
        sheet.append(row)
    workbook.save(path)
    return path


def test_formulas_that_were_never_computed(loaded: Engine, tmp_path: Path):
    header, good = ["date", "sku", "quantity"], [date(2024, 1, 2), "A", 1]
    table = [header, good, [], [date(2024, 1, 3), "A", "=2*C2"]]
    report = refused(workbook_of(tmp_path / "demand.xlsx", table), loaded)
    assert (report.read, report.accepted, report.rejected) == (2, 1, 1)
    (reject,) = report.rejects
    assert (reject.line, reject.column, reject.value) == (4, "quantity", "=2*C2")
    assert "formula without a value: open the file in Excel" in reject.reason


ERRORS = [
    ["date", "sku", "quantity", "site", "cover"],
    ["2024-01-02", "#N/A", 3, "S", "#DIV/0!"],
    ["2024-01-03", "A", 1, "#REF!", 2],
    ["2024-01-04", "A", 1, "S", "#DIV/0!"],
]
MAPPED = (
    '[[source]]\nkind = "demand"\nfile = "demand.xlsx"\nmissing = []\n[source.columns]\n'
    'date = "date"\nquantity = "quantity"\nsite = "site"\n'
    '[source.concat]\nsku = { columns = ["sku", "sku"] }\n'
)


def test_errors_of_excel_are_no_codes(loaded: Engine, tmp_path: Path):
    workbook_of(tmp_path / "demand.xlsx", ERRORS)
    (tmp_path / "mapping.toml").write_text(MAPPED)
    report = refused(tmp_path, loaded)
    assert (report.read, report.accepted, report.rejected) == (3, 1, 2)
    assert [(each.line, each.column, each.value) for each in report.rejects] == [
        (2, "sku", "#N/A"),
        (3, "site", "#REF!"),
    ]
    (why,) = {each.reason for each in report.rejects}
    assert why.startswith("is an error that Excel shows: correct it there")
    assert reason_in(why, translator("pt_BR"), "pt_BR").startswith("é um erro que o Excel mostra")


def test_errors_of_excel_that_a_mapping_calls_missing(loaded: Engine, tmp_path: Path):
    workbook_of(tmp_path / "demand.xlsx", ERRORS)
    (tmp_path / "mapping.toml").write_text(MAPPED.replace("[]", '["#REF!"]'))
    (reject,) = refused(tmp_path, loaded).rejects
    assert (reject.line, reject.value) == (2, "#N/A")


TOTALS = [
    ["date", "sku", "quantity", "status"],
    ["2024-01-02", "TOTAL-1", 3, "ok"],
    [None, "Total", "=SUM(C2:C2)", "ok"],
    ["2024-01-03", "TOTAL-1", "=C2", "ok"],
    ["2024-01-04", "#N/A", 1, "ok"],
    [None, "#N/A", "=C2", "off"],
]
LEFT_OUT = (
    '[[source]]\nkind = "demand"\nfile = "demand.xlsx"\n[source.columns]\n'
    'date = "date"\nsku = "sku"\nquantity = "quantity"\n'
    '[[source.drop]]\ncolumn = "sku"\nin = ["Total"]\n'
    '[[source.keep]]\ncolumn = "status"\nequals = "ok"\n'
)


def test_cells_without_a_value_in_rows_that_are_left_out(loaded: Engine, tmp_path: Path):
    workbook_of(tmp_path / "demand.xlsx", TOTALS)
    (tmp_path / "mapping.toml").write_text(LEFT_OUT)
    report = refused(tmp_path, loaded)
    assert (report.read, report.accepted, report.filtered, report.rejected) == (5, 1, 2, 2)
    assert [(each.line, each.column) for each in report.rejects] == [(4, "quantity"), (5, "sku")]


def test_formulas_that_were_computed_are_their_values(loaded: Engine, tmp_path: Path):
    table = [["sku", "name", "unit_cost_brl"], ["B", "=T(1)", 6]]
    path = workbook_of(tmp_path / "items.xlsx", table)
    computed = {b'r="B2"': b'r="B2" t="str"', b"<v>6</v>": b"<f>2*3</f><v>6</v>"}
    replace_in(path, "xl/worksheets/sheet1.xml", computed)
    assert load_one(path, loaded).state == "accepted"
    found = "SELECT name, unit_cost_brl FROM core.item WHERE sku = 'B'"
    assert rows(loaded, found) == [(None, 6.0)]


def test_numbers_kept_as_text_that_could_mean_two_things(loaded: Engine, tmp_path: Path):
    table = [["date", "sku", "quantity"], ["2024-01-02", "A", "1.500"], ["2024-01-03", "A", 2.25]]
    book = workbook_of(tmp_path / "demand.xlsx", table)
    frame = pd.DataFrame({"date": ["2024-01-02"], "sku": ["A"], "quantity": ["1.500"]})
    frame.to_parquet(tmp_path / "demand.parquet")
    for path in (book, tmp_path / "demand.parquet"):
        assert "'1.500': can be read with a decimal mark or a" in message(path, loaded)


def test_numbers_kept_as_text_stand_beside_typed_ones(loaded: Engine, tmp_path: Path):
    costs = [["C1", "1.250"], ["C2", "1.500,00"], ["C3", 1.125], [124.5, 2]]
    book = workbook_of(tmp_path / "items.xlsx", [["sku", "unit_cost_brl"], *costs])
    assert load_one(book, loaded).state == "accepted"
    found = "SELECT unit_cost_brl FROM core.item WHERE sku IN ('C1', 'C2', 'C3', '124.5')"
    assert sorted(rows(loaded, found)) == [(1.125,), (2,), (1250,), (1500,)]


def test_the_mark_of_a_mapping_is_that_of_texts_alone(loaded: Engine, tmp_path: Path):
    source = '[[source]]\nkind = "{}"\nfile = "{}"\ndecimal = ","\n'
    equipment = ["equipment", "site", "measured_at", "temp_c"]
    at = "2024-01-02 10:00"
    workbook_of(tmp_path / "a.xlsx", [equipment, [7.5, "T", at, 41.125], ["M2", "T", at, "4.125"]])
    columns = {"date": "2024-01-02", "sku": [7.5, 8], "quantity": ["1.500", "2"], "site": "T7"}
    pd.DataFrame(columns).to_parquet(tmp_path / "b.parquet")
    mapping = source.format("equipment", "a.xlsx") + source.format("demand", "b.parquet")
    (tmp_path / "mapping.toml").write_text(mapping)
    assert load(tmp_path, loaded).ok
    found = "SELECT equipment, readings ->> 'temp_c' FROM core.equipment_reading ORDER BY 1"
    assert rows(loaded, found) == [("7.5", "41.125"), ("M2", "4125.0")]
    found = (
        "SELECT sku, quantity FROM core.demand JOIN core.item USING (item_id) WHERE sku ~ '^[78]'"
    )
    assert sorted(rows(loaded, found)) == [("7.5", 1500), ("8", 2)]


def test_columns_that_become_rows_keep_what_is_typed(loaded: Engine, tmp_path: Path):
    wide = [["sku", "m1", "m2", "m3"], ["W1", 1.125, None, "7,5"], ["W2", "1.125", 3, 2.5]]
    workbook_of(tmp_path / "wide.xlsx", wide)
    (tmp_path / "mapping.toml").write_text(
        '[[source]]\nkind = "demand"\nfile = "wide.xlsx"\n[source.columns]\nsku = "sku"\n'
        '[source.unpivot]\ncolumns = "m(\\\\d)"\nvalue = "quantity"\nstart = "2024-01"\n'
        'step = "month"\n'
    )
    assert load(tmp_path, loaded).ok
    found = "SELECT sku, quantity FROM core.demand JOIN core.item USING (item_id) WHERE sku ~ '^W'"
    assert sorted(rows(loaded, found)) == [
        ("W1", 1.125), ("W1", 7.5), ("W2", 2.5), ("W2", 3), ("W2", 1125),
    ]  # fmt: skip


def test_a_row_beyond_the_end_of_a_sheet(loaded: Engine, tmp_path: Path):
    table = [["date", "sku", "quantity"], ["2024-01-02", "A", 1]]
    path = workbook_of(tmp_path / "demand.xlsx", table)
    far = {b'<row r="2">': b'<row r="2000000000">', b'r="A2"': b"", b'r="B2"': b"", b'r="C2"': b""}
    replace_in(path, "xl/worksheets/sheet1.xml", far)
    assert "line 2000000000: lies beyond 1,048,576" in message(path, loaded)


def replace_in(path: Path, entry: str, changes: dict[bytes, bytes]) -> None:
    """Rewrites a part of a zip file; each text that is replaced is there once."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in changes.items():
        assert parts[entry].count(old) == 1, parts[entry]
        parts[entry] = parts[entry].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_parquet_file_that_is_none(loaded: Engine, tmp_path: Path):
    (tmp_path / "demand.parquet").write_bytes(b"PAR1 nothing")
    assert "is not a Parquet file" in message(tmp_path / "demand.parquet", loaded)


@pytest.mark.parametrize(
    ("skus", "times", "empty_columns"),
    [
        (pa.array(["x" * 500_000]), 200, 0),
        (pa.array([b"x" * 500_000]), 200, 0),
        (pa.array(["x" * (65 << 20)]), 1, 0),
        (pa.array([b"x" * 50_000], pa.binary(50_000)), 2_000, 0),
        (pa.array(["A"]), 200_000, 400),
    ],
    ids=["long texts", "long bytes", "one text", "texts of one length", "many cells"],
)
def test_a_parquet_file_that_unpacks_to_hundreds_of_times_its_size(
    loaded: Engine, tmp_path: Path, skus: pa.Array, times: int, empty_columns: int
):
    path = tmp_path / "demand.parquet"
    columns = {
        name: pa.DictionaryArray.from_arrays(np.zeros(times, np.int32), values)
        for name, values in (("date", ["2024-01-01"]), ("sku", skus), ("quantity", ["1"]))
    } | {f"x{number}": pa.nulls(times) for number in range(empty_columns)}
    options = {"store_schema": False, "compression": "zstd", "write_statistics": False}
    pq.write_table(pa.table(columns), path, **options)
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 200 times its size" in message(path, loaded)


def test_a_parquet_file_with_odd_texts(loaded: Engine, tmp_path: Path):
    frame = pd.DataFrame({"date": ["2024\0"], "sku": ["A\0"], "quantity": ["1"]})
    frame.to_parquet(tmp_path / "demand.parquet")
    report = refused(tmp_path, loaded)
    assert [(each.line, each.column) for each in report.rejects] == [(1, "date"), (1, "sku")]
    assert rows(loaded, "SELECT value FROM staging.reject ORDER BY id DESC LIMIT 1") == [("A␀",)]


def test_parquet_that_is_unpacked_by_stretches_keeps_its_line_numbers(
    loaded: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(read_parquet, "CHUNK_BYTES", 20)
    skus = ["A", "B", "B" * 60, "A\a", "A", None]
    frame = pd.DataFrame({"date": "2024-01-01", "sku": skus, "quantity": ["1"] * 6})
    frame.to_parquet(tmp_path / "demand.parquet")
    report = refused(tmp_path, loaded)
    assert (report.read, {each.line for each in report.rejects}) == (6, {4, 5, 6})


def test_a_gzip_file_cut_short(loaded: Engine, tmp_path: Path):
    whole = gzip.compress(GOOD.encode() * 1000)
    (tmp_path / "demand.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "damaged gzip" in message(tmp_path / "demand.csv.gz", loaded)


def test_a_gzip_file_that_unpacks_to_hundreds_of_times_its_size(loaded: Engine, tmp_path: Path):
    path = tmp_path / "demand.csv.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(b"date;sku;quantity\n")
        for _ in range(80):
            stream.write(b"2024-01-01;A;x\n" * ((1 << 20) // 15))
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than 200 times its size" in message(path, loaded)


def test_beyond_a_limit_bad_rows_are_counted_only(
    loaded: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ingest, "MOST_KEPT", 3)
    bad = "".join(f"2024-01-0{day};A;x\n" for day in range(1, 6))
    report = refused(write(tmp_path, demand=f"date;sku;quantity\n{bad}"), loaded)
    assert report.rejected == 5
    kept = "SELECT line, reason FROM staging.reject WHERE load_id = :id ORDER BY id"
    told = [(line, "is not a number") for line in (2, 3, 4)]
    assert rows(loaded, kept, id=report.load_id) == [*told, (None, "and 2 more")]


def test_a_mapping_that_does_not_fit_the_file(loaded: Engine, tmp_path: Path):
    write(tmp_path, export="DATA;CÓDIGO;QTD\n2024-01-01;A;1\n")
    mapping = (
        '[[source]]\nkind = "demand"\nfile = "export.csv"\n'
        '[source.columns]\ndate = "Data"\nsku = "Codigo"\nquantity = "QTDE"\n'
    )
    (tmp_path / "mapping.toml").write_text(mapping)
    shown = message(tmp_path, loaded)
    assert "'QTDE'" in shown and "closest is 'QTD'" in shown
    (tmp_path / "mapping.toml").write_text(mapping.replace("kind =", "kinds ="))
    with pytest.raises(BadMapping, match="kind is missing"):
        load(tmp_path, loaded)


def test_wrong_arguments(loaded: Engine, tmp_path: Path):
    write(tmp_path, demand=GOOD)
    with pytest.raises(InvalidInput):
        load(tmp_path, loaded, kind="demands")
    with pytest.raises(InvalidInput):
        load(tmp_path, loaded, max_rejects=2)
    with pytest.raises(BadFile, match="does not exist"):
        load(tmp_path / "nowhere", loaded)
    with pytest.raises(BadFile, match="is none of .csv"):
        load(Path(__file__), loaded)
