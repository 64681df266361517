"""Files through the front door: looked at, loaded or refused, in the name of who sent them."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from sqlalchemy import text

from tests import factories, services
from tests.ingesting import counts
from tests.web.conftest import (
    ADMIN,
    ANALYST,
    PEOPLE,
    SCOPED,
    VIEWER,
    Site,
    publish_small_network,
)
from warehouse import embedded, uploads
from warehouse.db import make_engine
from warehouse.pipeline.publish import publish_bundle
from warehouse.pipeline.views import WRITE_LOCK

STOCK = "date;sku;site;on_hand\n2025-06-29;CABO-01;DEP-SP;{level}\n2025-06-30;CABO-01;DEP-SP;7\n"
DEMAND = "date;sku;quantity\n"
POLLS, POLL_SECONDS = 300, 0.1
BOMB = "demand.xlsx"

WRONG: list[tuple[str, bytes, list[str]]] = [
    ("demand.csv", b"", ["demand.csv", "is empty"]),
    ("demand.csv.gz", b"\x1f\x8b\x08\x00broken", ["damaged gzip"]),
    ("vendas.csv", b"date;sku;quantity\n2024-01-01;A;1\n", ["holds no ERP file"]),
]
"""One of each door that a file fails at; `test_ingest_wrong_files` has many more."""
BAD_ROWS = [
    ("31/02/2025;A;1", "date", "31/02/2025", "does not exist"),
    ("2024-01-01;A;dez", "quantity", "dez", "not a number"),
    ("2024-01-01;A;NaN", "quantity", "NaN", "not a number"),
    ("2024-01-01;A;1e300", "quantity", "1e300", "too large"),
    ("2024-01-01;;1", "sku", None, "is empty"),
    ("2024-01-01;A;1;2", None, "2024-01-01;A;1;2", "has 4 cells"),
]


@pytest.fixture(scope="module")
def office(
    server_url: str, template: str, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A served product of its own, for files change it; two runs, the newer one published."""
    shutil.rmtree(uploads.place())  # what tests of other files have sent
    with services.fresh_database(server_url, template) as url:
        engine = make_engine(url)
        publish_small_network(engine, tmp_path_factory.mktemp("bundle"))
        second = factories.make_bundle(
            tmp_path_factory.mktemp("second"), engine, name="second", scale=1.5
        )
        publish_bundle(second, engine=engine, published_by="tests")
        more = {"NOVA_UPLOAD_MB": "4"}
        with services.served(home, url, embedded.ensure_valkey(home), **more) as address:
            site = Site(address, engine)
            for email, (role, scope) in PEOPLE.items():
                site.add_user(email, role, scope)
            yield site
        engine.dispose()


class Sender:
    """Sends files with a token and waits for what becomes of them."""

    def __init__(self, site: Site, email: str) -> None:
        self.site, self.api = site, site.api(email)

    def post(self, name: str, content: bytes, **fields: Any) -> requests.Response:
        files = {"file": (name, content)}
        if "mapping" in fields:
            files["mapping"] = ("mapping.toml", fields.pop("mapping"))
        return self.api.call("POST", "/loads", files=files, data=fields)

    def send(self, name: str, content: bytes | str, **fields: Any) -> dict[str, Any]:
        """The job when it has ended."""
        data = content.encode() if isinstance(content, str) else content
        answer = self.post(name, data, **fields)
        assert answer.status_code == 200, answer.text
        return self.ended(answer.json()["data"]["job_id"])

    def ended(self, job_id: int) -> dict[str, Any]:
        for _ in range(POLLS):
            job = self.api.get(f"/jobs/{job_id}").json()["data"]
            if job["state"] not in ("queued", "running"):
                return job
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"job {job_id} does not end: {job}")


@pytest.fixture(scope="module")
def admin(office: Site) -> Sender:
    return Sender(office, ADMIN)


@pytest.fixture(scope="module")
def analyst(office: Site) -> Sender:
    return Sender(office, ANALYST)


def kept() -> list[str]:
    return sorted(folder.name for folder in uploads.place().iterdir())


def loads(site: Site) -> int:
    with site.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM staging.load")).scalar_one()


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    office: Site, analyst: Sender
) -> None:
    before, loaded = counts(office.engine), loads(office)
    job = analyst.send("stock.csv", STOCK.format(level=99), dry_run="true")
    assert (job["state"], job["kind"], job["actor"]) == ("done", "dry_run", ANALYST)
    (file,) = job["files"]
    assert (file["state"], file["read"], file["accepted"]) == ("dry-run", 2, 2)
    assert (file["superseded"], file["repeated"]) == (1, 0)
    assert (file["date_from"], file["date_to"]) == ("2025-06-29", "2025-06-30")
    assert counts(office.engine) == before and loads(office) == loaded
    assert not job["may_follow"] and kept() == []
    row = office.audit("load.dry_run")[-1]
    assert (row.actor, row.role, row.object) == (ANALYST, "ANALYST", "stock.csv")


def test_a_file_is_looked_at_and_then_loaded(office: Site, admin: Sender, analyst: Sender) -> None:
    job = admin.send("stock.csv", STOCK.format(level=42), dry_run="true")
    assert job["may_follow"] and len(kept()) == 1
    foreign = analyst.api.call("POST", f"/jobs/{job['job_id']}/load")
    assert foreign.status_code == 403
    started = admin.api.call("POST", f"/jobs/{job['job_id']}/load")
    done = admin.ended(started.json()["data"]["job_id"])
    assert done["state"] == "done" and done["files"][0]["state"] == "accepted"
    newest = admin.api.get("/loads", params={"limit": 1}).json()["data"][0]
    assert (newest["loaded_by"], newest["rows_accepted"]) == (ADMIN, 2)
    assert newest["load_id"] == done["files"][0]["load_id"]
    assert kept() == [] and office.audit("load")[-1].actor == ADMIN
    stock = admin.api.get("/materials/CABO-01").json()["data"]["positions"]
    assert {row["site"]: row["on_hand"] for row in stock}["DEP-SP"] == 7
    again = admin.send("stock.csv", STOCK.format(level=42), dry_run="true")
    assert again["files"][0]["state"] == "unchanged" and not again["may_follow"]
    assert admin.api.call("POST", f"/jobs/{job['job_id']}/load").status_code == 422


@pytest.mark.parametrize(("name", "content", "words"), WRONG)
def test_a_wrong_file_ends_in_a_message_that_names_it(
    office: Site, admin: Sender, name: str, content: bytes, words: list[str]
) -> None:
    before = counts(office.engine)
    job = admin.send(name, content)
    assert job["state"] in ("refused", "failed")
    said = " ".join([job["message"] or "", *(one["message"] or "" for one in job["files"])])
    for word in [name.split(".")[0], *words]:
        assert word in said
    assert str(uploads.place()) not in said
    assert counts(office.engine) == before and kept() == []


def test_bad_rows_are_shown_with_their_places(analyst: Sender) -> None:
    rows = "".join(f"{row}\n" for row, *_ in BAD_ROWS)
    job = analyst.send("demand.csv", f"{DEMAND}2024-05-01;B;2.5\n{rows}", dry_run="true")
    (file,) = job["files"]
    assert (job["state"], file["read"], file["rejected"]) == ("refused", 7, len(BAD_ROWS))
    told = {one["line"]: (one["column"], one["value"], one["reason"]) for one in file["rejects"]}
    for line, (_, column, value, reason) in enumerate(BAD_ROWS, start=3):
        assert told[line][:2] == (column, value) and reason in told[line][2], line


def test_every_row_that_a_check_refuses_is_a_file_as_of_a_load(office: Site, admin: Sender) -> None:
    rows = "".join(
        f"2024-05-{day:02}{suffix};B;{day}\n" for day in range(1, 29) for suffix in ("", "x")
    )
    checked = admin.send("demand.csv", f"{DEMAND}{rows}", dry_run="true")
    assert checked["state"] == "refused" and checked["has_rejects"]
    assert checked["files"][0]["rejected"] == 28 > len(checked["files"][0]["rejects"])
    browser = office.browser(ADMIN)
    address = f"/admin/data/jobs/{checked['job_id']}/rejects.csv"
    page = str(browser.open_page("/admin/data", f"?job={checked['job_id']}").json())
    assert address in page
    told = browser.call("GET", address)
    assert told.status_code == 200 and len(told.text.splitlines()) == 29
    loaded = admin.send("demand.csv", f"{DEMAND}{rows}")
    load_id = loaded["files"][0]["load_id"]
    assert not loaded["has_rejects"]
    assert told.content == browser.call("GET", f"/admin/data/loads/{load_id}/rejects.csv").content
    assert (
        browser.call("GET", f"/admin/data/jobs/{loaded['job_id']}/rejects.csv").status_code == 404
    )
    clean = admin.send("demand.csv", f"{DEMAND}2024-05-01;B;2\n", dry_run="true")
    assert clean["state"] == "done" and not clean["has_rejects"]


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(admin: Sender) -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1100):
                sheet.write(bytes(1 << 20))
    job = admin.send(BOMB, workbook.getvalue(), dry_run="true")
    said = " ".join([job["message"] or "", *(one["message"] or "" for one in job["files"])])
    assert job["state"] in ("refused", "failed") and "unpacks to 1,100 MB" in said


def test_workbooks_and_parquet_files_are_taken(analyst: Sender) -> None:
    frame = pd.DataFrame({"date": ["2024-05-01"], "sku": ["A"], "quantity": [2.5]})
    sheet, table = io.BytesIO(), io.BytesIO()
    frame.to_excel(sheet, index=False)
    frame.to_parquet(table)
    for name, content in (("demand.xlsx", sheet), ("demand.parquet", table)):
        job = analyst.send(name, content.getvalue(), dry_run="true")
        assert (job["state"], job["files"][0]["quantity"]) == ("done", 2.5)


def test_a_mapping_and_a_kind_come_with_the_file(analyst: Sender) -> None:
    mapping = (
        b'[[source]]\nkind = "demand"\nfile = "export*.csv"\n'
        b'[source.columns]\ndate = "DATA"\nsku = "COD"\nquantity = "QTD"\n'
    )
    content = "DATA;COD;QTD\n2024-01-01;A;1\n"
    job = analyst.send("export 1.csv", content, dry_run="true", mapping=mapping)
    assert job["state"] == "done" and job["files"][0]["kind"] == "demand"
    wrong = analyst.send("export 1.csv", content, dry_run="true", mapping=b"[[source]]\nx = 1\n")
    assert wrong["state"] == "failed" and "kind is missing" in wrong["message"]
    named = analyst.send("x.csv", f"{DEMAND}2024-01-01;A;1\n", dry_run="true", kind="demand")
    assert named["state"] == "done" and named["files"][0]["kind"] == "demand"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../../etc/cron.d/demand.csv", "demand.csv"),
        ("demand;$(id)`.csv", "demand__(id)_.csv"),
    ],
)
def test_the_sender_s_path_leads_nowhere(analyst: Sender, sent: str, shown: str) -> None:
    before = set(uploads.place().rglob("*"))
    content = f"{DEMAND}2024-01-01;A;1\n"
    job = analyst.send(sent, content, dry_run="true", kind="demand")
    assert (job["state"], job["object"]) == ("done", shown)
    assert set(uploads.place().rglob("*")) == before


def test_what_the_form_may_not_say(office: Site, admin: Sender) -> None:
    before = kept()
    good = f"{DEMAND}2024-01-01;A;1\n".encode()
    answers = {
        "file": admin.post("demand.exe", good),
        "kind": admin.post("demand.csv", good, kind="sales"),
        "dry_run": admin.post("demand.csv", good, dry_run="perhaps"),
        "loaded_by": admin.post("demand.csv", good, loaded_by="somebody"),
    }
    for field, answer in answers.items():
        assert answer.status_code == 422, (field, answer.text)
        assert list(answer.json()["error"]["fields"]) == [field]
    twice = [("file", ("demand.csv", good)), ("file", ("stock.csv", good))]
    assert admin.api.call("POST", "/loads", files=twice).status_code == 422
    assert admin.api.call("POST", "/loads", json={}).status_code == 415
    nothing = admin.api.call("POST", "/loads", data={"dry_run": "true"}, files={"x": b""})
    assert nothing.status_code == 422
    assert kept() == before and office.audit("job.start")[-1].after["object"] != "demand.exe"


def test_a_file_over_the_limit_is_refused(office: Site, admin: Sender) -> None:
    refused = admin.post("demand.csv", b"x" * (5 << 20))
    assert refused.status_code == 413 and refused.json()["error"]["code"] == "too_large"
    taken = admin.post("demand.csv", b"x" * (3 << 20), dry_run="true")
    assert taken.status_code == 200, "the limit of other bodies is not that of files"
    admin.ended(taken.json()["data"]["job_id"])
    other = admin.api.call("PATCH", "/alerts/1", json={"status": "x" * (3 << 20)})
    assert other.status_code == 413


def test_who_may_send_and_load(office: Site, analyst: Sender) -> None:
    good = f"{DEMAND}2024-01-01;A;1\n".encode()
    assert analyst.post("demand.csv", good).status_code == 403
    for email in (VIEWER, SCOPED):
        sender = Sender(office, email)
        assert sender.post("demand.csv", good, dry_run="true").status_code == 403
        assert sender.api.call("POST", "/runs/1/publish").status_code == 403
    checked = analyst.post("demand.csv", good, dry_run="true").json()["data"]["job_id"]
    analyst.ended(checked)
    found = [Sender(office, email).api.get(f"/jobs/{checked}") for email in (VIEWER, SCOPED)]
    assert [answer.status_code for answer in found] == [403, 404]
    assert analyst.api.call("POST", "/runs/1/publish").status_code == 403
    assert office.call("POST", "/api/v1/loads", files={"file": good}).status_code == 401


def test_a_form_without_its_token_is_refused(office: Site) -> None:
    browser = office.browser(ADMIN)
    file = {"file": ("demand.csv", f"{DEMAND}2024-01-01;A;1\n")}
    form = {"dry_run": "true"}
    refused = browser.call("POST", "/api/v1/loads", files=file, data=form)
    assert refused.status_code == 400
    token = {"X-CSRFToken": browser.csrf_token("/account")}
    taken = browser.call("POST", "/api/v1/loads", files=file, data=form, headers=token)
    assert taken.status_code == 200, taken.text
    Sender(office, ADMIN).ended(taken.json()["data"]["job_id"])
    origin = token | {"Origin": "https://evil.example"}
    foreign = browser.call("POST", "/api/v1/loads", files=file, data=form, headers=origin)
    assert foreign.status_code == 400


def test_an_older_run_is_published_and_back(office: Site, admin: Sender) -> None:
    assert admin.api.get("/runs").json()["data"][0]["is_published"]
    for run_id in (1, 2):
        started = admin.api.call("POST", f"/runs/{run_id}/publish")
        assert admin.ended(started.json()["data"]["job_id"])["state"] == "done"
        rows = admin.api.get("/runs").json()["data"]
        (shown,) = [row for row in rows if row["is_published"]]
        assert (shown["run_id"], shown["published_by"]) == (run_id, ADMIN)
        assert office.audit("publish")[-1].actor == ADMIN
    assert admin.api.call("POST", "/runs/999/publish").status_code == 404


def test_a_job_waits_for_the_load_before_it(office: Site, admin: Sender, analyst: Sender) -> None:
    content = f"{DEMAND}2024-01-01;A;1\n".encode()
    with office.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        first = admin.post("demand.csv", content, dry_run="true").json()["data"]["job_id"]
        second = analyst.post("demand.csv", content, dry_run="true").json()["data"]["job_id"]
        again = admin.post("demand.csv", content, dry_run="true")
        assert again.status_code == 429 and "Retry-After" in again.headers
        wait_for(admin, first, "running")
        wait_for(analyst, second, "running")
        page = str(office.browser(ANALYST).open_page("/admin/data", f"?job={second}").json())
        assert "Outra carga está em andamento" in page
        other.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": WRITE_LOCK})
    assert admin.ended(first)["state"] == analyst.ended(second)["state"] == "done"


def shown(office: Site) -> list[str]:
    """The published run, since when, and what is derived from it."""
    sql = """
        SELECT CAST(now AS text) FROM analytics.published AS now UNION ALL
        SELECT CAST(policy AS text) FROM analytics.policy UNION ALL
        SELECT CAST(advice AS text) FROM analytics.recommendation AS advice ORDER BY 1
    """
    with office.engine.connect() as connection:
        return list(connection.scalars(text(sql)))


def test_a_publish_says_at_which_step_it_is_and_may_be_cancelled(
    office: Site, admin: Sender, analyst: Sender
) -> None:
    newer, older = (run["run_id"] for run in admin.api.get("/runs").json()["data"])

    def publish(run_id: int) -> int:
        answer = admin.api.call("POST", f"/runs/{run_id}/publish")
        return int(answer.json()["data"]["job_id"])

    before = shown(office)
    with office.engine.connect() as other:
        other.execute(text("LOCK TABLE analytics.policy IN SHARE MODE"))
        job_id = publish(older)
        wait_for(admin, job_id, "running", "publishing 2/6")
        page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job_id}").json())
        assert "Etapa 2 de 6." in page and "'max': '6'" in page and "'value': '2'" in page
        assert "cancel-job" in page
        assert analyst.api.call("POST", f"/jobs/{job_id}/cancel").status_code == 404
        assert admin.api.call("POST", f"/jobs/{job_id}/cancel").status_code == 200
        other.rollback()
    assert admin.ended(job_id)["state"] == "cancelled"
    assert shown(office) == before
    page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job_id}").json())
    assert "Cancelado. Nada foi alterado." in page and "derive-again" not in page
    for run_id in (older, newer):
        assert admin.ended(publish(run_id))["state"] == "done"
        assert admin.api.get("/status").json()["data"]["run_id"] == run_id


def wait_for(sender: Sender, job_id: int, state: str, phase: str = "waiting") -> None:
    for _ in range(POLLS):
        job = sender.api.get(f"/jobs/{job_id}").json()["data"]
        if job["state"] == state and job["phase"] == phase:
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(job)


def test_what_waits_or_is_read_is_cancelled_and_changes_nothing(
    office: Site, admin: Sender, analyst: Sender
) -> None:
    days = [f"{year}-{month:02}-01" for year in range(1990, 2020) for month in range(1, 13)]
    content = DEMAND + "".join(f"{day};A{sku};1\n" for sku in range(2_000) for day in days)
    before, sent = kept(), gzip.compress(content.encode(), 1)
    with office.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        job_id = admin.post("demand.csv.gz", sent).json()["data"]["job_id"]
        wait_for(admin, job_id, "running")
        theirs = analyst.api.call("POST", f"/jobs/{job_id}/cancel")
        assert theirs.status_code == 404
        asked = admin.api.call("POST", f"/jobs/{job_id}/cancel").json()["data"]
        assert asked["state"] in ("running", "cancelled") and asked["cancelled_at"]
        assert admin.ended(job_id)["state"] == "cancelled"
        other.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": WRITE_LOCK})
    assert admin.api.call("POST", f"/jobs/{job_id}/cancel").status_code == 422
    job_id = admin.post("demand.csv.gz", sent).json()["data"]["job_id"]
    wait_for(admin, job_id, "running", "reading")
    page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job_id}").json())
    assert "cancel-job" in page
    assert admin.api.call("POST", f"/jobs/{job_id}/cancel").status_code == 200
    assert admin.ended(job_id)["state"] == "cancelled"
    page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job_id}").json())
    assert "Cancelado. Nada foi alterado." in page
    (newest, *_rest) = admin.api.get("/loads").json()["data"]
    assert (newest["state"], newest["message"]) == ("failed", "stopped by Cancelled")
    assert kept() == before
    assert [row.object for row in office.audit("job.cancel")][-1] == f"job:{job_id}"


def test_a_killed_job_is_shown_as_failed(office: Site, admin: Sender) -> None:
    content = f"{DEMAND}2024-01-01;A;1\n".encode()
    find = text(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND objid = :id"
    )
    with office.engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        job_id = admin.post("demand.csv", content, dry_run="true").json()["data"]["job_id"]
        wait_for(admin, job_id, "running")
        pid = other.execute(find, {"id": job_id}).scalar_one()
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        job = admin.ended(job_id)
        other.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": WRITE_LOCK})
    assert job["state"] == "failed" and "stopped" in job["message"]
    assert admin.send("demand.csv", content.decode(), dry_run="true")["state"] == "done"


def kill_its_process(_office: Site, job_id: int) -> None:
    ends = f"jobs\0run\0{job_id}\0".encode()
    commands = {one: one.read_bytes() for one in Path("/proc").glob("[0-9]*/cmdline")}
    (found,) = [int(one.parent.name) for one, told in commands.items() if told.endswith(ends)]
    os.kill(found, signal.SIGKILL)


def break_its_connection(office: Site, _job_id: int) -> None:
    waiting = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'relation'
    """
    for _ in range(POLLS):
        with office.engine.connect() as connection:
            if connection.execute(text(waiting)).all():
                return
        time.sleep(POLL_SECONDS)
    raise AssertionError("it waits for no table")


def left_underived(office: Site, admin: Sender, stop: Callable[[Site, int], None]) -> int:
    """A load that is stopped when its file is loaded, and what the page says of it."""
    content = f"{DEMAND}2024-06-01;{stop.__name__};1\n".encode()
    with office.engine.connect() as other:
        other.execute(text("LOCK TABLE analytics.policy IN SHARE MODE"))
        job_id = int(admin.post("demand.csv", content).json()["data"]["job_id"])
        wait_for(admin, job_id, "running", "deriving 2/6")
        stop(office, job_id)
        job = admin.ended(job_id)
        other.rollback()
    assert (job["state"], [one["state"] for one in job["files"]]) == ("failed", ["accepted"])
    page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job_id}").json())
    assert "Não deu certo. O que foi carregado permanece" in page and "derive-again" in page
    return job_id


def test_a_load_whose_process_is_killed_says_what_stays(office: Site, admin: Sender) -> None:
    left_underived(office, admin, kill_its_process)


def test_a_load_that_could_not_be_derived_is_derived_later(office: Site, admin: Sender) -> None:
    job_id = left_underived(office, admin, break_its_connection)
    assert office.audit("load.refused")[-1].after["files"] == {"demand.csv": "accepted"}
    again = {
        "output": "again-address.search",
        "outputs": {"id": "again-address", "property": "search"},
        "inputs": [{"id": "derive-again", "property": "n_clicks", "value": 1}],
        "state": [{"id": "_pages_location", "property": "search", "value": f"?job={job_id}"}],
        "changedPropIds": ["derive-again.n_clicks"],
    }
    browser = office.browser(ADMIN)
    assert f"job={job_id + 1}" in browser.callback(again).text
    assert admin.ended(job_id + 1)["state"] == "done"
    page = str(browser.open_page("/admin/data", f"?job={job_id + 1}").json())
    assert "Números depois de uma carga: demand.csv" in page and "O arquivo foi carregado" in page
    assert office.audit("load.derive")[-1].after == {"derived": True}


def test_a_workbook_that_is_loaded_in_part_says_so(office: Site, admin: Sender) -> None:
    book = io.BytesIO()
    with pd.ExcelWriter(book) as sheets:
        demand = {"date": ["2024-06-02"], "sku": ["A"], "quantity": [2.5]}
        pd.DataFrame(demand).to_excel(sheets, sheet_name="demand", index=False)
        stock = {"date": ["2024-06-02"], "sku": ["A"], "site": ["DEP-SP"], "on_hand": ["muito"]}
        pd.DataFrame(stock).to_excel(sheets, sheet_name="stock", index=False)
    job = admin.send("erp.xlsx", book.getvalue())
    assert job["state"] == "refused"
    assert [one["state"] for one in job["files"]] == ["accepted", "rejected"]
    page = str(office.browser(ADMIN).open_page("/admin/data", f"?job={job['job_id']}").json())
    assert "Parte do arquivo foi recusada" in page and "O arquivo foi recusado" not in page


def test_what_nobody_loaded_is_gone_after_a_day(admin: Sender) -> None:
    job = admin.send("demand.csv", f"{DEMAND}2023-01-01;A;1\n", dry_run="true")
    assert job["may_follow"]
    for folder in uploads.place().iterdir():
        os.utime(folder, (0, 0))
    vanished = uploads.place() / ("0" * 32)
    vanished.symlink_to("nowhere")  # as one that another worker removes after it was listed
    admin.send("demand.csv", DEMAND, dry_run="true")
    vanished.unlink()
    assert kept() == []
    gone = admin.api.call("POST", f"/jobs/{job['job_id']}/load")
    assert gone.status_code == 422 and gone.json()["error"]["fields"] == {"file": "is gone"}
