"""Canonical files into core: values, keys, supersession, repetition, dry runs."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pandas as pd
import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, text

from dashboard.i18n import translator
from domain import clock
from domain.errors import BadFile, Unavailable
from layouts.reasons import reason_in
from tests.ingesting import adds_up, counts, load, load_one, rows, write
from warehouse.pipeline import read_csv
from warehouse.pipeline.derive import refresh_after_load
from warehouse.pipeline.report import render_report
from warehouse.pipeline.views import WRITE_LOCK
from warehouse.queries.training import load_training_set

DEMAND = """
    date;sku;quantity;site
    2024-01-15;CABO-1;10;SP-01
    16/01/2024;CABO-1;2,5;SP-01
    2024-02-01;FIBRA;1.234,5;
"""


def demand_of(engine: Engine) -> list[tuple]:
    return rows(
        engine,
        "SELECT d.date, i.sku, s.site, d.quantity FROM core.demand d JOIN core.item i"
        " USING (item_id) JOIN core.site s USING (site_id) ORDER BY 1, 2, 3",
    )


EXPECTED = [
    (date(2024, 1, 15), "CABO-1", "SP-01", 10.0),
    (date(2024, 1, 16), "CABO-1", "SP-01", 2.5),
    (date(2024, 2, 1), "FIBRA", "-", 1234.5),
]


def test_demand_alone_is_enough(engine: Engine, tmp_path: Path):
    report = load(write(tmp_path, demand=DEMAND), engine)
    assert report.ok and report.changed
    assert demand_of(engine) == EXPECTED
    (file,) = report.files
    assert (file.date_from, file.date_to) == (date(2024, 1, 15), date(2024, 2, 1))
    assert rows(engine, "SELECT state, rows_accepted, loaded_by, kind FROM staging.load") == [
        ("accepted", 3, "tester", "demand")
    ]
    assert rows(engine, "SELECT count(*) FROM staging.demand") == [(0,)]


@pytest.mark.parametrize(
    ("encoding", "mark", "ending"),
    [("utf-8", ";", "\n"), ("utf-8-sig", ";", "\r\n"), ("cp1252", "\t", "\r\n")],
)
def test_encodings_and_delimiters(engine: Engine, tmp_path: Path, encoding, mark, ending):
    lines = ["Código;SKU;Name", "x;AÇO-1;Cantoneira de aço ½", 'y;AÇO-2;"Perfil; ""U"""']
    content = ending.join(line.replace(";", mark) for line in lines)
    content = content.replace(f"Perfil{mark}", "Perfil;")
    (tmp_path / "items.csv").write_bytes(content.encode(encoding))
    report = load_one(tmp_path / "items.csv", engine)
    assert report.accepted == 2, report.message
    assert rows(engine, "SELECT sku, name, attributes FROM core.item ORDER BY sku") == [
        ("AÇO-1", "Cantoneira de aço ½", {"Código": "x"}),
        ("AÇO-2", 'Perfil; "U"', {"Código": "y"}),
    ]


def test_gzip_xlsx_and_parquet_give_the_same_rows(engine: Engine, tmp_path: Path):
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(["2024-01-15", "2024-01-16", "2024-02-01"]),
            "sku": ["CABO-1", "CABO-1", "FIBRA"],
            "quantity": [10.0, 2.5, 1234.5],
            "site": ["SP-01", "SP-01", None],
        }
    )
    workbook = Workbook()
    sheet = workbook.create_sheet("demand")
    for row in [list(frame.columns), *frame.astype(object).itertuples(index=False)]:
        sheet.append([None if pd.isna(cell) else cell for cell in row])
    workbook.save(tmp_path / "demand.xlsx")
    frame.to_parquet(tmp_path / "demand.parquet")
    with gzip.open(tmp_path / "demand.csv.gz", "wt") as stream:
        frame.to_csv(stream, index=False)
    for name in ("demand.xlsx", "demand.parquet", "demand.csv.gz"):
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM core.demand"))
        report = load_one(tmp_path / name, engine)
        assert report.state == "accepted", report.message
        assert demand_of(engine) == EXPECTED, name


def test_codes_of_a_workbook_keep_the_zeros_that_excel_shows(engine: Engine, tmp_path: Path):
    workbook = Workbook()
    sheet = workbook.create_sheet("items")
    table: list[list[Any]] = [["sku", "name", "pack_size"], [123, "shown as 000123", 12], [1.5]]
    for row in table:
        sheet.append(row)
    for cell in ("A2", "A3", "B2", "C2"):
        sheet[cell].number_format = "000000"
    workbook.save(tmp_path / "items.xlsx")
    report = load_one(tmp_path / "items.xlsx", engine)
    assert report.state == "accepted", render_report(load(tmp_path, engine))
    assert rows(engine, "SELECT sku, pack_size FROM core.item ORDER BY sku") == [
        ("000123", 12),
        ("1.5", None),
    ]


def test_the_same_file_twice_changes_nothing(engine: Engine, tmp_path: Path):
    write(tmp_path, demand=DEMAND)
    load(tmp_path, engine)
    before = rows(engine, "SELECT xmin::text, * FROM core.demand ORDER BY date")
    again = load(tmp_path, engine)
    assert [file.state for file in again.files] == ["unchanged"]
    assert again.ok and not again.changed
    assert rows(engine, "SELECT xmin::text, * FROM core.demand ORDER BY date") == before
    assert rows(engine, "SELECT count(*) FROM staging.load") == [(1,)]


def test_a_corrected_file_supersedes_its_keys_and_leaves_the_rest(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    corrected = "date;sku;quantity;site\n2024-01-15;CABO-1;12;SP-01\n2024-03-01;NOVO;1;SP-01\n"
    load(write(tmp_path, demand=corrected), engine)
    expected = [(*EXPECTED[0][:3], 12.0), *EXPECTED[1:], (date(2024, 3, 1), "NOVO", "SP-01", 1.0)]
    assert demand_of(engine) == expected
    # going back to the first file is a change, too
    assert load_one(write(tmp_path, demand=DEMAND), engine).state == "accepted"
    assert demand_of(engine)[0] == EXPECTED[0]


STOCK = "date;sku;site;on_hand\n2024-01-15;CABO-1;SP-01;"


def test_what_another_file_replaced_is_loaded_again(engine: Engine, tmp_path: Path):
    def sent(folder: Path) -> list[str]:
        return [file.state for file in load(folder, engine).files]

    def on_hand() -> list[tuple]:
        return rows(engine, "SELECT on_hand FROM core.stock ORDER BY date")

    first = write(tmp_path / "first", stock=f"{STOCK}10\n") / "stock.csv"
    wrong = write(tmp_path / "wrong", stock_fix=f"{STOCK}99\n") / "stock_fix.csv"
    later = write(tmp_path / "later", stock_feb=f"{STOCK}7\n".replace("-01-15", "-02-15"))
    assert [sent(one) for one in (first, wrong, first)] == [["accepted"]] * 3
    assert on_hand() == [(10,)]
    assert (sent(later), sent(first)) == (["accepted"], ["unchanged"]), "other days replace nothing"
    both = write(tmp_path / "both", stock=f"{STOCK}10\n", stock_fix=f"{STOCK}99\n")
    assert sent(both) == ["unchanged", "accepted"]
    assert sent(both) == ["unchanged", "unchanged"], "as often as the folder is loaded"
    assert on_hand() == [(99,), (7,)]


def test_what_knows_no_days_is_loaded_again_after_another_file(engine: Engine, tmp_path: Path):
    first = write(tmp_path / "first", items="sku;unit\nA;m\n") / "items.csv"
    other = write(tmp_path / "other", items_fix="sku;unit\nA;kg\n") / "items_fix.csv"
    states = [load_one(one, engine).state for one in (first, other, first, first)]
    assert states == ["accepted", "accepted", "accepted", "unchanged"]
    assert rows(engine, "SELECT unit FROM core.item WHERE sku = 'A'") == [("m",)]


def test_a_folder_leaves_corrections_from_elsewhere(engine: Engine, tmp_path: Path):
    folder = write(tmp_path / "erp", demand=DEMAND, items="sku;unit\nFIBRA;m\n")
    load(folder, engine)
    fixed = "date;sku;quantity;site\n2024-01-15;CABO-1;5001;SP-01\n2024-01-16;CABO-1;2,5;SP-01\n"
    fix = write(tmp_path / "fix", demand_oct=fixed, items_oct="sku;unit\nFIBRA;km\n")
    told = render_report(load(fix, engine))
    assert "  1 rows were replaced, 1 are the same" in told
    assert [file.state for file in load(folder, engine).files] == ["unchanged"] * 2
    assert demand_of(engine)[0][3] == 5001
    assert rows(engine, "SELECT unit FROM core.item WHERE sku = 'FIBRA'") == [("km",)]
    assert load_one(folder / "demand.csv", engine).state == "accepted", "asked for by its name"
    assert demand_of(engine)[0][3] == 10


def test_a_folder_leaves_what_was_uploaded_by_a_name_of_its_own(engine: Engine, tmp_path: Path):
    folder = write(tmp_path / "erp", stock=f"{STOCK}10\n")
    load(folder, engine)
    other = load_one(write(tmp_path / "other", stock=f"{STOCK}99\n"), engine)
    assert load_one(folder, engine).state == "accepted", "was the folder's own for all we know"
    sent = load_one(write(tmp_path / "sent", stock=f"{STOCK}99\n") / "stock.csv", engine)
    assert (other.state, sent.state) == ("accepted", "accepted")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO support.job (kind, object, actor, role, report)"
                " VALUES ('load', 'stock.csv', 'ana', 'ADMIN', CAST(:report AS jsonb))"
            ),
            {"report": json.dumps({"files": [{"load_id": sent.load_id, "state": "accepted"}]})},
        )
    assert load_one(folder, engine).state == "unchanged"
    assert rows(engine, "SELECT on_hand FROM core.stock") == [(99,)]


MOVEMENTS = """
    D3_EMISSAO;D3_COD;D3_QUANT;D3_DOC;D3_TM
    15/01/2024;CABO-1;10;100;501
    15/01/2024;CABO-1;4;101;001
    """
ISSUES_AND_RETURNS = "".join(
    f"""
    [[source]]
    kind = "demand"
    file = "SD3*.csv"
    [source.columns]
    date = "D3_EMISSAO"
    sku = "D3_COD"
    quantity = "D3_QUANT"
    order_ref = "D3_DOC"
    [source.scale]
    quantity = {factor}
    [[source.keep]]
    column = "D3_TM"
    equals = "{code}"
    """
    for code, factor in (("501", 1), ("001", -1))
)


def test_returns_that_a_code_tells_are_taken_off(engine: Engine, tmp_path: Path):
    write(tmp_path, SD3010=MOVEMENTS)
    (tmp_path / "mapping.toml").write_text(ISSUES_AND_RETURNS)
    assert [file.quantity for file in load(tmp_path, engine).files] == [10, -4]
    assert [row[3] for row in sorted(demand_of(engine))] == [-4, 10]
    assert [file.state for file in load(tmp_path, engine).files] == ["unchanged"] * 2


BLANKS = """
    D3_EMISSAO;D3_COD;D3_QUANT;D3_LOCAL;D3_TM
    15/01/2024; CABO-1 ;10;01; 501
    16/01/2024;CABO-1;2,5;-  ;999
      /  /    ;CABO-1;4;01;501
    17/01/2024;CABO-1;4;01;700
    """
BLANK_RULES = """
    [[source]]
    kind = "demand"
    file = "SD3*.csv"
    missing = ["  /  /    ", " - "]
    [source.columns]
    date = "D3_EMISSAO"
    sku = "D3_COD"
    quantity = "D3_QUANT"
    site = "D3_LOCAL"
    [source.defaults]
    site = " SP-02 "
    [source.values.site]
    "01 " = " SP-01"
    [[source.keep]]
    column = "D3_TM"
    in = ["501 ", " 999", "700"]
    [[source.drop]]
    column = "D3_TM"
    equals = " 700"
    [[source.drop]]
    column = "D3_EMISSAO"
    empty = true
    """


def test_blanks_around_what_a_mapping_says_do_not_count(engine: Engine, tmp_path: Path):
    write(tmp_path, SD3010=BLANKS)
    (tmp_path / "mapping.toml").write_text(BLANK_RULES)
    report = load_one(tmp_path, engine)
    assert (report.accepted, report.filtered, report.rejected) == (2, 2, 0), report.message
    assert demand_of(engine) == [
        (date(2024, 1, 15), "CABO-1", "SP-01", 10.0),
        (date(2024, 1, 16), "CABO-1", "SP-02", 2.5),
    ]


ACCENTS = """
    date,sku,quantity
    2024-01-15,CONEXÃO,10
    2024-01-16,{apart},2
    2024-01-17,CONEXAO,1
    """
ACCENT_RULES = """
    [[source]]
    kind = "demand"
    [source.columns]
    date = "date"
    sku = "sku"
    quantity = "quantity"
    [source.constants]
    site = "SP-01"
    [[source.drop]]
    column = "sku"
    equals = "{apart}"
    """


def test_letters_whose_accents_are_written_apart_are_the_same(engine: Engine, tmp_path: Path):
    apart = normalize("NFD", "CONEXÃO")
    write(tmp_path, demand=ACCENTS.format(apart=apart))
    assert load(tmp_path, engine).ok
    assert rows(engine, "SELECT sku FROM core.item ORDER BY 1") == [("CONEXAO",), ("CONEXÃO",)]
    (tmp_path / "mapping.toml").write_text(ACCENT_RULES.format(apart=apart))
    assert load_one(tmp_path, engine).filtered == 2


def test_rules_that_leave_no_row_say_so(engine: Engine, tmp_path: Path):
    write(tmp_path, SD3010=BLANKS)
    (tmp_path / "mapping.toml").write_text(BLANK_RULES.replace('["501 ", " 999", "700"]', '["5"]'))
    told = [render_report(load(tmp_path, engine, dry_run=dry_run)) for dry_run in (True, False)]
    assert all("every row is left out by mapping.toml" in each for each in told)
    ((state, message),) = rows(engine, "SELECT state, message FROM staging.load")
    assert state == "accepted"
    said = reason_in(message, translator("pt_BR"), "pt_BR")
    assert said.startswith("todas as linhas ficam de fora")


def test_a_longer_export_rewrites_only_what_is_new(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    old = "SELECT xmin::text, ctid::text, * FROM core.demand WHERE load_id = 1 ORDER BY date"
    before = rows(engine, old)
    report = load_one(write(tmp_path, demand=f"{DEMAND}    2024-02-02;FIBRA;3;\n"), engine)
    assert report.accepted == 4
    assert rows(engine, old) == before
    assert rows(engine, "SELECT count(*) FROM core.demand") == [(4,)]


@pytest.mark.parametrize("months_exist", [True, False])
def test_repeated_keys_are_found_in_old_and_new_months(
    engine: Engine, tmp_path: Path, months_exist: bool
):
    day = "2024-01-15" if months_exist else "2025-06-15"
    load(write(tmp_path, demand=DEMAND), engine)
    before = demand_of(engine)
    # the first of the two says what is there already
    again = f"date;sku;quantity;site\n{day};CABO-1;10;SP-01\n{day};CABO-1;11,5;SP-01\n"
    report = load_one(write(tmp_path, demand=again), engine)
    assert (report.state, report.rejects[0].line) == ("rejected", 3)
    assert demand_of(engine) == before
    assert load_one(tmp_path, engine, max_rejects=0.5).accepted == 1
    assert sum(row[3] for row in demand_of(engine) if row[0].isoformat() == day) == 10


def test_known_and_fresh_months_in_one_file(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    mixed = """
        date;sku;quantity;site;supplier;order_ref
        2024-01-15;CABO-1;12;SP-01;;
        2025-06-02;NOVO;1,5;;;
        2024-02-09;NOVO;2;SP-01;Forn;
        2025-07-01;CABO-1;3;RJ-09;Forn;P-7
        2025-06-02;NOVO;4;SP-01;-;P-8
        """
    report = load_one(write(tmp_path, demand=mixed), engine)
    assert (report.state, report.accepted, report.quantity) == ("accepted", 5, 22.5)
    assert (report.date_from, report.date_to) == (date(2024, 1, 15), date(2025, 7, 1))
    names = "SELECT date::text, sku, site, supplier.supplier, order_ref, quantity FROM core.demand"
    joins = "JOIN core.item USING (item_id) JOIN core.site USING (site_id)"
    found = rows(
        engine,
        f"{names} {joins} JOIN core.supplier ON supplier.supplier_id = demand.supplier_id"
        f" WHERE demand.load_id = {report.load_id} ORDER BY date, quantity",
    )
    assert found == [
        ("2024-01-15", "CABO-1", "SP-01", "-", "", 12.0),
        ("2024-02-09", "NOVO", "SP-01", "Forn", "", 2.0),
        ("2025-06-02", "NOVO", "-", "-", "", 1.5),
        ("2025-06-02", "NOVO", "SP-01", "-", "P-8", 4.0),
        ("2025-07-01", "CABO-1", "RJ-09", "Forn", "P-7", 3.0),
    ]
    assert rows(engine, "SELECT count(*) FROM core.demand") == [(len(EXPECTED) + 4,)]
    parents = "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid::regclass::text ~"
    assert rows(engine, f"{parents} 'demand_2025_0[67]$'") == [("core.demand",)] * 2
    indexed = "SELECT count(*) FROM pg_index WHERE indrelid = 'core.demand_2025_06'::regclass"
    assert rows(engine, indexed) == [(1,)]


@pytest.fixture
def read_by_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read three or four lines at a time."""
    monkeypatch.setattr(read_csv, "BLOCK_BYTES", 64)


@pytest.mark.usefixtures("read_by_few")
def test_bad_rows_late_in_a_file_leave_nothing_of_its_early_months(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    before, tables = counts(engine), "SELECT count(*) FROM pg_class WHERE relname ~ '^demand_'"
    partitions = rows(engine, tables)
    good = "".join(f"2025-{1 + n // 10:02}-{1 + n % 10:02};NEW-{n};1;S-1\n" for n in range(90))
    bad = "".join(f"2025-11-0{1 + n};NEW;none;S-1\n" for n in range(9))
    report = load_one(write(tmp_path, demand=f"date;sku;quantity;site\n{good}{bad}"), engine)
    assert (report.state, report.accepted, report.rejected) == ("rejected", 90, 9)
    assert (report.rejects[0].line, report.rejects[0].value) == (92, "none")
    assert counts(engine) == before and rows(engine, tables) == partitions
    assert rows(engine, "SELECT count(*), min(line) FROM staging.reject") == [(9, 92)]


@pytest.mark.usefixtures("read_by_few")
@pytest.mark.parametrize("order", ["by month", "by item"])
def test_months_in_any_order_and_a_repeat_of_one_that_was_left(
    engine: Engine, tmp_path: Path, order: str
):
    lines = [f"2025-{1 + n // 9 % 8:02}-{1 + n % 9:02};ITEM-{n // 72};{n}" for n in range(216)]
    if order == "by month":
        lines.sort()
    path = write(tmp_path, demand="\n".join(["date;sku;quantity", *lines])) / "demand.csv"
    assert load_one(path, engine).accepted == 216
    per_month = "SELECT count(*), sum(quantity) FROM core.demand GROUP BY date_trunc('month', date)"
    assert [count for count, _ in rows(engine, per_month)] == [27] * 8
    assert sum(total for _, total in rows(engine, per_month)) == sum(range(216))
    with engine.begin() as connection:
        for month in range(1, 9):
            connection.execute(text(f"DROP TABLE core.demand_2025_{month:02}"))
    path.write_text("\n".join(["date;sku;quantity", *lines, lines[4]]))
    report = load_one(path, engine)
    assert (report.state, report.accepted) == ("accepted", 216)
    (reject,) = report.rejects
    assert (reject.line, reject.reason) == (
        218,
        "repeats the key of line 6 (see on_duplicate)",
    )
    assert rows(engine, "SELECT count(*), sum(quantity) FROM core.demand") == [
        (216, sum(range(216)))
    ]


def test_a_repeat_in_a_fresh_month_leaves_each_refused_row_once(engine: Engine, tmp_path: Path):
    lines = "2025-06-01;A;1\n2025-06-02;A;x\n2025-06-01;A;2\n"
    write(tmp_path, demand=f"date;sku;quantity\n{lines}")
    report = load_one(tmp_path, engine, max_rejects=0.9)
    assert (report.read, report.accepted, report.rejected) == (3, 1, 2)
    assert rows(engine, "SELECT line FROM staging.reject ORDER BY 1") == [(3,), (4,)]
    assert rows(engine, "SELECT quantity FROM core.demand") == [(1.0,)]


def test_an_order_whose_date_was_corrected_moves(engine: Engine, tmp_path: Path):
    header = "order;line;sku;supplier;quantity;promised_on;ordered_on"
    first = f"{header};unit_price_brl\nPO1;1;A;S;5;2024-01-20;2023-12-30;7.5\n"
    load(write(tmp_path, purchase_orders=first), engine)
    dated = f"{header}\nPO1;1;A;S;5;2024-01-20;2024-01-02\n"
    looked = load_one(write(tmp_path, purchase_orders=dated), engine, dry_run=True)
    assert (looked.superseded, looked.repeated) == (1, 0), "is not new"
    corrected = f"{header}\nPO1;1;A;S;5;2024-02-20;2024-01-02\n"
    load(write(tmp_path, purchase_orders=corrected), engine)
    looked = load_one(tmp_path, engine, dry_run=True, force=True)
    assert (looked.superseded, looked.repeated) == (0, 1)
    told = "order_no, line, ordered_on, promised_on, first_promised_on, unit_price_brl"
    days = (date(2024, 1, 2), date(2024, 2, 20), date(2024, 1, 20))
    found = rows(engine, f"SELECT {told} FROM core.purchase_order")
    assert found == [("PO1", "1", *days, 7.5)], "with what the file does not say"


def test_an_order_without_a_date_is_kept_at_the_latest_day_it_can_have(
    engine: Engine, tmp_path: Path
):
    header = "order;line;sku;supplier;ordered_on;quantity;promised_on;received_on\n"

    def order(*cells: str) -> list[tuple]:
        load(write(tmp_path, purchase_orders=f"{header}PO1;1;A;S;{';'.join(cells)}\n"), engine)
        return rows(
            engine, "SELECT ordered_on, order_dated, lead_time_days FROM core.purchase_order"
        )

    promised, earlier = date(2024, 3, 9), date(2024, 2, 1)
    assert order("", "5", "2024-03-09", "") == [(promised, False, None)]
    assert order("", "5", "2024-03-12", "2024-03-07") == [(promised, False, None)]
    assert order("2024-02-01", "5", "2024-03-12", "2024-03-07") == [(earlier, True, 35)]
    assert order("", "6", "2024-03-12", "2024-03-07") == [(earlier, True, 35)]


def test_an_order_keeps_how_much_of_it_had_come_by_which_day(engine: Engine, tmp_path: Path):
    """Without a day it is as old as the order in the first file, and else came by the last day that
    stock or, up to yesterday, the orders themselves are told of."""
    header = "order;line;sku;supplier;ordered_on;quantity"

    def order(*received: str, beside: str = "") -> Any:
        lines = f"{header};received_on;received_qty\nPO1;1;A;S;2024-01-02;30;{';'.join(received)}\n"
        if beside:
            lines += f"PO2;1;B;S;{beside};5;;\n"
        load(write(tmp_path, purchase_orders=lines), engine)
        ((found,),) = rows(
            engine, "SELECT received_by FROM core.purchase_order WHERE order_no = 'PO1'"
        )
        return found

    load(write(tmp_path, stock="date;sku;site;on_hand\n2024-02-10;A;D;5\n"), engine)
    (tmp_path / "stock.csv").unlink()
    assert order("", "10") is None
    load(write(tmp_path, purchase_orders=f"{header}\nPO1;1;A;S;2024-01-02;40\n"), engine)
    first = {"2024-01-02": 10}
    assert order("", "20") == first | {"2024-02-10": 20}
    assert order("2024-03-01", "30") == first | {"2024-02-10": 20, "2024-03-01": 30}
    assert order("2024-03-05", "") == first | {"2024-02-10": 20, "2024-03-05": 30}
    assert order("2024-03-05", "15") == first | {"2024-03-05": 15}
    assert order("", "25", beside="2024-03-20") == first | {"2024-03-05": 15, "2024-03-20": 25}
    assert order("", "12") == first | {"2024-03-05": 12, "2024-03-20": 12}
    assert order("", "") is None
    today = clock.today()
    yesterday = today - timedelta(days=1)
    assert order("", "5", beside=today.isoformat()) == {yesterday.isoformat(): 5}
    assert order("2024-03-05", "") == {"2024-03-05": 30}


def test_an_order_without_any_date_is_refused(engine: Engine, tmp_path: Path):
    header = "order;line;sku;supplier;ordered_on;quantity;promised_on\n"
    file = f"{header}PO1;1;A;S;;5;\nPO2;1;A;S;;5;2024-03-09\n"
    (report,) = load(write(tmp_path, purchase_orders=file), engine, max_rejects=0.5).files
    (reject,) = report.rejects
    assert (reject.line, reject.column) == (2, "ordered_on")
    assert reject.reason == (
        "is empty, and so are promised_on and received_on: one of them is needed"
    )


def test_items_named_by_facts_are_described_by_a_later_file(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    before = rows(engine, "SELECT item_id FROM core.item WHERE sku = 'CABO-1'")
    (tmp_path / "demand.csv").unlink()
    items = "sku,name,unit_cost_brl,supplier,active,Cor\nCABO-1,Cabo,10.5,Furukawa,não,preto\n"
    load(write(tmp_path, items=items), engine)
    found = rows(
        engine,
        "SELECT item_id, item.name, unit_cost_brl, s.supplier, active, attributes"
        " FROM core.item JOIN core.supplier s USING (supplier_id)",
    )
    assert found == [(before[0][0], "Cabo", 10.5, "Furukawa", False, {"Cor": "preto"})]


def test_columns_that_a_file_lacks_keep_their_values(engine: Engine, tmp_path: Path):
    load(write(tmp_path, items="sku,name,unit_cost_brl\nA,Cabo,10.5\n"), engine)
    load(write(tmp_path, items="sku,unit_cost_brl\nA,11\n"), engine)
    assert rows(engine, "SELECT name, unit_cost_brl FROM core.item") == [("Cabo", 11.0)]


def test_every_kind_of_file(engine: Engine, tmp_path: Path):
    write(
        tmp_path,
        suppliers="supplier,name,kind,contract_lead_time_days\nS1,Forn,Import,30\n",
        contracts="contract,customer,penalty_schedule,cap_pct\nC1,Vivo,7.3:2;14.6:5,20\n",
        sites="site,uf,kind,depot,contract\nT1,sp,tower,D1,C1\nD1,SP,depot,,\n",
        items="sku,name,supplier\nA,Cabo,S1\n",
        demand="date,sku,quantity,site\n2024-01-01,A,1,T1\n",
        stock="date,sku,site,on_hand\n2024-01-01,A,D1,5\n",
        purchase_orders="order,line,sku,supplier,ordered_on,quantity\nP,1,A,S1,2024-01-01,3\n",
        outages="outage,site,started_at,ended_at,sku_waited_for,contract\n"
        "O1,T1,2024-01-31 21:30,2024-02-01T05:30:00Z,A,C1\n",
        projects="project;name;uf;materials\n"
        'J1;5G;RJ;"[{""sku"": ""B"", ""quantity"": 4, ""needed_on"": ""2024-05-01""}]"\n',
        equipment="equipment,site,measured_at,failure,temp_c\nE1,T1,01/02/2024 08:00,0,41.5\n",
        tower_kpis="site,date,availability_pct\nT1,2024-01-01,99.5\n",
        drivers="date,driver,value,uf\n2024-01-01,rain_mm,-1.5,SP\n2024-01-01,usd_brl,4.9,\n",
    )
    report = load(tmp_path, engine)
    assert [file.state for file in report.files] == ["accepted"] * 12, render_report(report)
    assert report.files[0].kind == "suppliers"
    found = counts(engine)
    facts = "demand stock purchase_order outage project project_material equipment_reading".split()
    assert [found[f"core.{name}"] for name in (*facts, "tower_kpi", "driver")] == [1] * 8 + [2]
    assert rows(engine, "SELECT penalty_schedule FROM core.contract") == [
        ([{"hours": 7.3, "percent": 2}, {"hours": 14.6, "percent": 5}],)
    ]
    assert rows(
        engine, "SELECT (ended_at - started_at)::text, ended_at::text FROM core.outage"
    ) == [("05:00:00", "2024-02-01 02:30:00")]
    assert rows(engine, "SELECT readings FROM core.equipment_reading") == [({"temp_c": 41.5},)]
    depot = "SELECT d.site FROM core.site t JOIN core.site d ON d.site_id = t.depot_id"
    assert rows(engine, depot) == [("D1",)]


def test_a_day_is_the_one_that_is_written_whatever_its_offset(engine: Engine, tmp_path: Path):
    lines = ("2024-01-31T22:00:00-03:00;A;1", "0001-01-01T00:00:00+14:00;A;1")
    demand = "\n".join(["date;sku;quantity", *lines])
    report = load_one(write(tmp_path, demand=demand), engine, max_rejects=1)
    assert [(one.line, one.reason.partition(":")[0]) for one in report.rejects] == [
        (3, "is out of range")
    ]
    assert rows(engine, "SELECT date FROM core.demand") == [(date(2024, 1, 31),)]


def test_codes_that_look_like_nothing_are_learnt_from(engine: Engine, tmp_path: Path):
    write(
        tmp_path,
        equipment="equipment,site,measured_at,temp_c\nnull,NA,2024-01-01 08:00,41.5\n",
        tower_kpis="site,date,availability_pct\nNA,2024-01-01,99.5\n",
    )
    assert load(tmp_path, engine).ok
    training = load_training_set(engine)
    assert training.equipment[["equipment", "site"]].to_numpy().tolist() == [["null", "NA"]]
    assert training.tower_kpis["site"].tolist() == ["NA"]


def test_the_calendar_follows_the_facts(engine: Engine, tmp_path: Path):
    load(write(tmp_path, demand=DEMAND), engine)
    assert rows(engine, "SELECT min(date), max(date) FROM core.calendar") == [
        (date(2024, 1, 1), date(2026, 12, 31))
    ]
    query = "SELECT holiday, uf_holidays ->> 'SP' FROM core.calendar WHERE date = :day"
    assert rows(engine, query, day=date(2024, 9, 7))[0][0] is not None
    assert rows(engine, query, day=date(2024, 7, 9))[0][1] is not None


@pytest.mark.fault
def test_a_leap_day_and_the_turn_of_a_year_count_once(engine: Engine, tmp_path: Path):
    days = [*pd.date_range("2024-02-26", "2024-03-03"), *pd.date_range("2024-12-30", "2025-01-05")]
    lines = [f"{day:%d/%m/%Y};EPI-04;1" for day in days]
    load(write(tmp_path, demand="\n".join(["date;sku;quantity", *lines])), engine)
    refresh_after_load(engine)
    asked = text(
        "SELECT to_char(date_trunc(:bucket, date::timestamp), 'YYYY-MM-DD'), sum(quantity)"
        " FROM analytics.demand_by_day GROUP BY 1 ORDER BY 1"
    )
    for zone in ("UTC", "America/Sao_Paulo", "Asia/Kathmandu"):
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL timezone = '{zone}'"))
            weeks, months = (
                [tuple(row) for row in connection.execute(asked, {"bucket": bucket})]
                for bucket in ("week", "month")
            )
        assert weeks == [("2024-02-26", 7), ("2024-12-30", 7)]
        assert [quantity for _, quantity in months] == [4, 3, 2, 5]


def test_what_a_refused_row_alone_names_is_nowhere(engine: Engine, tmp_path: Path):
    items = "sku;name;supplier\nA;a;FORN-1\nA;again;FORN-2\nB;b;FORN-3\n"
    report = load_one(write(tmp_path, items=items), engine, max_rejects=1)
    assert (report.accepted, report.rejected) == (2, 1)
    named = rows(engine, "SELECT supplier FROM core.supplier WHERE supplier LIKE 'FORN%'")
    assert sorted(named) == [("FORN-1",), ("FORN-3",)]


@pytest.mark.fault
def test_a_day_that_no_calendar_has_is_refused(engine: Engine, tmp_path: Path):
    lines = "date;sku;quantity\n29/02/2023;EPI-04;1\n29/02/2024;EPI-04;1\n"
    report = load_one(write(tmp_path, demand=lines), engine, max_rejects=1)
    assert (report.accepted, report.rejected) == (1, 1)
    assert [day for day, *_ in demand_of(engine)] == [date(2024, 2, 29)]


def test_a_dry_run_tells_all_and_changes_nothing(engine: Engine, tmp_path: Path):
    load(write(tmp_path / "old", demand=DEMAND), engine)
    before = counts(engine), counts(engine, "staging")
    twice = "date;sku;quantity\n2024-01-15;A;1,5\n2024-01-16;A;x\n2024-01-17;A;1\n2024-01-15;A;2\n"
    report = load_one(write(tmp_path / "new", demand=twice), engine, dry_run=True, max_rejects=1)
    assert (report.state, report.read, report.accepted, report.rejected) == ("dry-run", 4, 2, 2)
    assert [reject.line for reject in report.rejects] == [3, 5]
    assert (counts(engine), counts(engine, "staging")) == before


def test_few_bad_rows_are_left_out_and_kept_for_inspection(engine: Engine, tmp_path: Path):
    good = "".join(f"2024-01-01;SKU-{n};{n}.5\n" for n in range(199))
    write(tmp_path, demand=f"date;sku;quantity\n{good}2024-01-01;RUIM;muitos\n")
    report = load_one(tmp_path, engine)
    assert (report.state, report.accepted, report.rejected) == ("accepted", 199, 1)
    assert adds_up(report)
    assert rows(engine, "SELECT file, line, column_name, value, reason FROM staging.reject") == [
        ("demand.csv", 201, "quantity", "muitos", "is not a number")
    ]


def test_the_report_says_that_there_is_more_than_it_shows(engine: Engine, tmp_path: Path):
    def told(bad: int) -> str:
        file = "date;sku;quantity\n" + "x;;y\n" * bad
        return render_report(load(write(tmp_path, demand=file), engine, dry_run=True))

    assert "… and more" not in told(6), "18 problems are all shown"
    assert "… and more" in told(7)


def test_rows_of_blanks_alone_are_no_rows(engine: Engine, tmp_path: Path):
    blanks = "2024-01-01;A;1\n  ; ;\n;;\n ;\n2024-01-02;B;x\n"
    write(tmp_path, demand=f"date;sku;quantity\n{blanks}", demand_2="date;sku;quantity\n ; ;\n")
    first, second = load(tmp_path, engine, max_rejects=0.5).files
    assert (first.read, first.accepted, first.rejected) == (2, 1, 1)
    assert (first.rejects[0].line, first.rejects[0].value) == (6, "x")
    assert "has a header and no rows" in (second.message or "")
    workbook = Workbook()
    sheet = workbook.create_sheet("demand")
    for row in (["date", "sku", "quantity"], ["2024-01-01", "A", 1], [" ", None, "  "]):
        sheet.append(row)
    workbook.save(tmp_path / "demand_3.xlsx")
    assert load_one(tmp_path / "demand_3.xlsx", engine).read == 1


def test_lines_are_physical_lines(engine: Engine, tmp_path: Path):
    write(
        tmp_path,
        items='sku,name,unit_cost_brl\nA,"two\nlines",1.5\n\nB,"",x\nC,D\n"E","three\n\nlines",-1\n',
    )
    report = load_one(tmp_path, engine)
    assert [(r.line, r.column, r.value) for r in report.rejects] == [
        (6, None, "C,D"),
        (5, "unit_cost_brl", "x"),
        (7, "unit_cost_brl", "-1"),
    ]


def test_the_decimal_mark_of_a_canonical_file_can_be_told(engine: Engine, tmp_path: Path):
    write(tmp_path, demand="date;sku;quantity\n2024-01-01;A;1.234\n")
    assert load_one(tmp_path, engine).state == "failed"
    source = '[[source]]\nkind = "demand"\nfile = "demand.csv"\ndecimal = ","\n'
    (tmp_path / "mapping.toml").write_text(source)
    assert load_one(tmp_path, engine).ok
    assert demand_of(engine) == [(date(2024, 1, 1), "A", "-", 1234.0)]


@pytest.mark.fault
def test_a_load_waits_for_another(engine: Engine, tmp_path: Path):
    write(tmp_path, demand=DEMAND)
    with ThreadPoolExecutor() as pool, engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        waiting = pool.submit(load, tmp_path, engine)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=1)
        assert rows(engine, "SELECT count(*) FROM staging.load") == [(0,)]
        other.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": WRITE_LOCK})
        assert waiting.result(timeout=60).ok


@pytest.mark.fault
def test_two_loads_do_not_mix(engine: Engine, tmp_path: Path):
    write(tmp_path, demand=DEMAND)
    with engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        with pytest.raises(Unavailable, match="another load, publish or derivation is running"):
            load(tmp_path, engine, wait_seconds=0)
        other.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": WRITE_LOCK})
    assert load(tmp_path, engine, wait_seconds=0).ok


def test_demo_data_is_marked(engine: Engine, tmp_path: Path):
    write(tmp_path, demand=DEMAND)
    (tmp_path / "demo.json").write_text('{"demo": true}')
    load(tmp_path, engine)
    assert rows(engine, "SELECT is_demo FROM staging.load") == [(True,)]


def test_demo_data_gives_way_to_real_data_and_never_joins_it(engine: Engine, tmp_path: Path):
    demo = write(
        tmp_path / "demo",
        demand=DEMAND,
        sites="site;uf;depot\nSP-01;SP;SP-02\n",
        outages="outage;site;started_at\nO;SP-01;2024-01-01 10:00\n",
        projects='project;materials\nP;"[{""sku"":""A"",""quantity"":1,""needed_on"":""2024-01-01""}]"\n',
    )
    (demo / "demo.json").write_text('{"demo": true}')
    empty = counts(engine)
    assert load(demo, engine).ok
    real = write(tmp_path / "real", demand="date;sku;quantity\n2024-01-15;REAL;7\n")
    assert load(real, engine, dry_run=True).ok
    assert len(demand_of(engine)) == 3
    assert load(real, engine).ok
    assert demand_of(engine) == [(date(2024, 1, 15), "REAL", "-", 7.0)]
    added = {name: n - empty[name] for name, n in counts(engine).items() if n != empty[name]}
    assert set(added) == {"core.demand", "core.item", "core.calendar"}
    assert rows(engine, "SELECT is_demo, state FROM staging.load") == [(False, "accepted")]
    again = load(demo, engine)
    assert again.ok and not again.changed
    assert {file.state for file in again.files} == {"skipped"}
    assert len(demand_of(engine)) == 1


def test_other_files_are_named_and_left_alone(engine: Engine, tmp_path: Path):
    write(tmp_path, demand=DEMAND, holidays="a,b\n1,2\n")
    report = load(tmp_path, engine)
    assert report.ignored == ["holidays.csv"]
    assert "holidays.csv" in render_report(report)
    (tmp_path / "mapping.toml").write_text(
        '[[source]]\nkind = "items"\nfile = "materiais*.csv"\n[source.columns]\nsku = "SKU"\n'
    )
    assert "no such file: materiais*.csv (items)" in render_report(load(tmp_path, engine))
    (tmp_path / "mapping.toml").unlink()
    with pytest.raises(BadFile, match="holds no ERP file"):
        load(tmp_path / "holidays.csv", engine)
