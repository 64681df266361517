"""Board packs by e-mail: set up on a page, sent once by however many machines, tried again, and on
record; against a real SMTP server of this process."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text

from config import Settings
from dashboard.sending import send_due
from domain.access import Role
from domain.clock import BRASILIA
from domain.errors import InvalidInput
from domain.reports import MOST_TRIES, Schedule, checked, wait_after
from tests import services
from tests.factories import LAST_DAY
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Browser, Site, run_of_data_to
from tests.web.test_board_pack import words_of
from warehouse import embedded
from warehouse.commands import privacy, users

Sender = Callable[[], list[str]]
PAGE = "/admin/reports"
FORM = {
    "rhythm": "daily",
    "weekday": "0",
    "day_of_month": "1",
    "hour": "7",
    "language": "pt_BR",
    "measure": "",
}


class Mailbox:
    """What the SMTP server does: it keeps messages, and answers `answers` to recipients first."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answers: list[str] = []
        self.goodbye = "221 Bye"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return self.goodbye

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), embedded.free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(scope="module")
def admin(site: Site) -> Browser:
    return site.browser(ADMIN)


@pytest.fixture
def clean(site: Site, mail: tuple[Mailbox, int]) -> Iterator[Mailbox]:
    yield mail[0]
    mail[0].messages, mail[0].answers, mail[0].goodbye = [], [], "221 Bye"
    with site.engine.begin() as connection:
        connection.execute(text("DELETE FROM support.report"))


def set_up(admin: Browser, user_id: int, **more: Any) -> None:
    form = {**FORM, "user_id": str(user_id), "csrf_token": admin.csrf_token_of_page(), **more}
    answer = admin.call("POST", PAGE, data=form)
    assert answer.status_code == 303, answer.text


def number_of(site: Site, email: str) -> int:
    sql = text("SELECT user_id FROM support.user WHERE email = :email")
    with site.engine.connect() as connection:
        return int(connection.execute(sql, {"email": email}).scalar_one())


def is_due(site: Site, ago: timedelta = timedelta(minutes=1)) -> None:
    with site.engine.begin() as connection:
        sql = "UPDATE support.report SET next_at = now() - CAST(:ago AS interval)"
        connection.execute(text(sql), {"ago": ago})


def send(site: Site, port: int, **more: str) -> subprocess.CompletedProcess[str]:
    """`flask send-reports`, a process of its own as cron starts it."""
    url = site.engine.url.render_as_string(hide_password=False)
    environment = os.environ | {
        "DATABASE_URL": url.replace("+psycopg2", ""),
        "NOVA_SMTP_HOST": "127.0.0.1",
        "NOVA_SMTP_PORT": str(port),
        "NOVA_SMTP_TLS": "none",
        "NOVA_SMTP_FROM": "Nova Corrente <nova@example.com>",
        "NOVA_SITE_URL": "https://nova.example.com",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "flask", "send-reports"],
        cwd=services.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch, mail: tuple[Mailbox, int]) -> Sender:
    """The same in this process: gives what came of each."""
    for place in ("warehouse.db", "warehouse.caching"):
        monkeypatch.setattr(f"{place}.get_engine", lambda: site.engine)
    settings = Settings(
        NOVA_SMTP_HOST="127.0.0.1",
        NOVA_SMTP_PORT=mail[1],
        NOVA_SMTP_TLS="none",
        NOVA_SMTP_FROM="nova@example.com",
    )
    return lambda: [outcome.state for _, outcome in send_due(site.engine, settings)]


def deliveries(site: Site) -> list[Any]:
    sql = text("SELECT * FROM support.report_delivery ORDER BY delivery_id")
    with site.engine.connect() as connection:
        return list(connection.execute(sql))


def pdf_of(message: EmailMessage) -> bytes:
    (attachment,) = message.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    return attachment.get_content()


def test_two_machines_send_each_pack_once_and_each_reader_gets_the_own_part(
    site: Site, admin: Browser, clean: Mailbox, mail: tuple[Mailbox, int], here: Sender
) -> None:
    set_up(admin, number_of(site, SCOPED))
    set_up(admin, number_of(site, ANALYST), language="en", uf=["RJ"], measure="units")
    is_due(site)
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: send(site, mail[1]), range(2)))
    assert [one.returncode for one in ended] == [0, 0], ended
    assert {one["To"]: one["Subject"] for one in clean.messages} == {
        SCOPED: "Relatório da diretoria, dados até 29/06/2025",
        ANALYST: "Board pack, data until Jun 29, 2025",
    }
    assert len(clean.messages) == len({one["Message-ID"] for one in clean.messages}) == 2
    told = {one["To"]: words_of(pdf_of(one)) for one in clean.messages}
    assert "DEP-BA" in told[SCOPED] and "DEP-SP" not in told[SCOPED]
    assert "Filters: UF: RJ" in told[ANALYST] and "DEP-BA" not in told[ANALYST]
    body = next(one for one in clean.messages if one["To"] == ANALYST).get_body()
    assert (
        body and "https://nova.example.com/main?uf=RJ&measure=units" in body.get_content().split()
    )
    assert '{"children":"Unidades"},"type":"Td"' in admin.open_page(PAGE).text
    assert [(row.state, row.attempts, row.run_id) for row in deliveries(site)] == [
        ("sent", 1, 1)
    ] * 2
    assert here() == [] and len(clean.messages) == 2


def test_an_e_mail_tells_the_last_day_of_an_older_run_apart(
    site: Site, admin: Browser, clean: Mailbox, here: Sender
) -> None:
    set_up(admin, number_of(site, ANALYST), language="en")
    with run_of_data_to(site, LAST_DAY - timedelta(days=9)):
        is_due(site)
        assert here() == ["sent"]
    (message,) = clean.messages
    assert message["Subject"] == "Board pack, data until Jun 29, 2025"
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "nova-board-pack-2025-06-29.pdf"
    body = message.get_body()
    assert body and "Data until Jun 29, 2025, run 1, forecasts with data until Jun 20, 2025" in (
        body.get_content()
    )


def test_what_the_server_has_taken_is_sent_whatever_it_says_at_parting(
    site: Site, admin: Browser, clean: Mailbox, here: Sender
) -> None:
    set_up(admin, number_of(site, ANALYST))
    is_due(site)
    clean.goodbye = "421 too busy"
    assert here() == ["sent"] and len(clean.messages) == 1


def test_a_failure_is_tried_again_later_and_given_up_at_last(
    site: Site, admin: Browser, clean: Mailbox, mail: tuple[Mailbox, int], here: Sender
) -> None:
    set_up(admin, number_of(site, ANALYST))
    is_due(site, timedelta(days=3))
    down = send(site, embedded.free_port())
    assert down.returncode == 1 and "queued: 127.0.0.1:" in down.stdout
    (row,) = deliveries(site)
    assert (row.state, row.attempts) == ("queued", 1)
    wait = row.next_try_at - datetime.now(UTC)
    assert timedelta(minutes=3) < wait <= timedelta(minutes=5)
    assert here() == []
    clean.answers = ["451 busy, come back"]
    hurry(site)
    assert here() == ["queued"]
    assert (deliveries(site)[0].attempts, deliveries(site)[0].message) == (2, "451 busy, come back")
    hurry(site, attempts=MOST_TRIES - 1)
    clean.answers = ["451 busy, come back"]
    assert here() == ["failed"]
    assert deliveries(site)[0].state == "failed" and not clean.messages
    page = admin.open_page(PAGE).text
    assert "451 busy, come back" in page


def hurry(site: Site, attempts: int | None = None) -> None:
    """The next try is now, after so many."""
    sql = """
        UPDATE support.report_delivery
        SET next_try_at = now() - interval '1 second', attempts = coalesce(:attempts, attempts)
    """
    with site.engine.begin() as connection:
        connection.execute(text(sql), {"attempts": attempts})


def test_what_is_refused_or_not_allowed_is_not_tried_again(
    site: Site, admin: Browser, clean: Mailbox, here: Sender
) -> None:
    leaver = site.add_user("leaver@nova.test", Role.ANALYST)
    set_up(admin, leaver)
    set_up(admin, number_of(site, ANALYST))
    users.change(site.engine, leaver, users.Changes(active=False), actor=users.Actor())
    is_due(site)
    clean.answers = ["550 no such mailbox"]
    assert sorted(here()) == ["refused", "skipped"] and not clean.messages
    states = {row.state: row.message for row in deliveries(site)}
    assert set(states) == {"skipped", "refused"} and states["refused"] == "550 no such mailbox"
    hurry(site)
    assert here() == []
    privacy.anonymise(site.engine, "leaver@nova.test", unusable_hash="-", actor=users.Actor())
    assert len(deliveries(site)) == 1


def test_a_report_is_stopped_sent_once_more_and_dropped_with_its_row_each(
    site: Site, admin: Browser, clean: Mailbox, here: Sender
) -> None:
    set_up(admin, number_of(site, ANALYST), rhythm="weekly", weekday="4")
    page = admin.open_page(PAGE).text
    assert ANALYST in page and "NOVA_SMTP_HOST" in page
    assert "reports.csv" in page
    assert f"{ANALYST} deixa de receber" in page and '"className":"confirm"' in page
    file = site.api(ADMIN).get("/exports/reports.csv").content.decode("utf-8-sig").splitlines()
    (row,) = csv.DictReader(file, delimiter=";")
    assert (row["email"], row["rhythm"], row["day"]) == (ANALYST, "weekly", "4")
    assert site.api(ANALYST).get("/exports/reports.csv").status_code == 403
    with site.engine.connect() as connection:
        (report_id,) = connection.execute(text("SELECT report_id FROM support.report")).one()
    token = {"csrf_token": admin.csrf_token_of_page()}
    assert admin.call("POST", f"{PAGE}/{report_id}/stop", data=token).status_code == 303
    is_due(site)
    assert here() == []
    for change in ("send", "resume"):
        assert admin.call("POST", f"{PAGE}/{report_id}/{change}", data=token).status_code == 303
    assert here() == ["sent"]
    assert admin.call("POST", f"{PAGE}/{report_id}/delete", data=token).status_code == 303
    assert admin.call("POST", f"{PAGE}/{report_id}/delete", data=token).status_code == 404
    assert not deliveries(site) and len(clean.messages) == 1
    to: dict[str, Any] = {"to": ANALYST}
    on, off = to | {"active": True}, to | {"active": False}
    what = to | {"rhythm": "weekly", "day": 4, "hour": 7, "language": "pt_BR", "filters": {}}
    for action, before, after in (
        ("save", None, what),
        ("stop", on, off),
        ("send", None, to),
        ("resume", off, on),
        ("delete", what | on, None),
    ):
        row = site.audit(f"report.{action}")[-1]
        assert (row.actor, row.object) == (ADMIN, f"report:{report_id}")
        assert (row.before, row.after) == (before, after)


def test_a_stopped_report_sends_nothing_that_was_due(
    site: Site, admin: Browser, clean: Mailbox, here: Sender
) -> None:
    set_up(admin, number_of(site, ANALYST))
    is_due(site)
    clean.answers = ["451 busy, come back"]
    assert here() == ["queued"]
    with site.engine.connect() as connection:
        (report_id,) = connection.execute(text("SELECT report_id FROM support.report")).one()
    token = {"csrf_token": admin.csrf_token_of_page()}
    assert admin.call("POST", f"{PAGE}/{report_id}/stop", data=token).status_code == 303
    hurry(site)
    assert here() == [] and not clean.messages
    (row,) = deliveries(site)
    assert (row.state, row.message) == ("skipped", "The report was stopped.")
    assert admin.call("POST", f"{PAGE}/{report_id}/send", data=token).status_code == 303
    assert here() == ["sent"]


def test_only_accounts_that_may_export_are_taken(site: Site, admin: Browser) -> None:
    token = {"csrf_token": admin.csrf_token_of_page()}
    for user_id in (number_of(site, VIEWER), 987654):
        form = {**FORM, **token, "user_id": str(user_id)}
        answer = admin.call("POST", PAGE, data=form)
        assert (answer.status_code, "não pode exportar" in answer.text) in (
            (422, True),
            (404, False),
        )
    answer = admin.call("POST", PAGE, data={**FORM, **token, "hour": "24"})
    assert answer.status_code == 422 and "a hora (0 a 23)" in answer.text
    analyst = site.browser(ANALYST)
    form = {**FORM, "user_id": "1", "csrf_token": analyst.csrf_token_of_page()}
    assert analyst.call("POST", PAGE, data=form).status_code == 403
    with site.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM support.report")).scalar() == 0


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        (Schedule("daily", 0, 7), "2026-11-28T07:00"),
        (Schedule("daily", 0, 6), "2026-11-29T06:00"),
        (Schedule("weekdays", 0, 7), "2026-11-30T07:00"),
        (Schedule("weekly", 5, 6), "2026-12-05T06:00"),
        (Schedule("monthly", 28, 7), "2026-11-28T07:00"),
        (Schedule("monthly", 1, 0), "2026-12-01T00:00"),
    ],
)
def test_a_schedule_knows_its_next_time(schedule: Schedule, due: str) -> None:
    saturday = datetime(2026, 11, 28, 6, 30, tzinfo=BRASILIA)
    found = schedule.after(saturday.astimezone(UTC))
    assert found.astimezone(BRASILIA) == datetime.fromisoformat(due).replace(tzinfo=BRASILIA)
    assert schedule.after(found) > found


def test_waits_grow_and_forms_are_checked() -> None:
    waits = [wait_after(tries) for tries in range(1, MOST_TRIES + 1)]
    assert [one and one.total_seconds() / 60 for one in waits] == [5, 15, 45, 135, None]
    with pytest.raises(InvalidInput) as refused:
        checked({"rhythm": ["hourly"], "hour": ["24"], "user_id": ["x"], "language": ["fr"]})
    assert {"rhythm", "hour", "user_id", "language", "weekday"} <= set(refused.value.fields)


def test_settings_of_the_mail_server_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ({"NOVA_SMTP_HOST": "mail"}, {"NOVA_SMTP_USER": "me"}, {"NOVA_SITE_URL": "nova"}):
        with monkeypatch.context() as patch:
            for name, value in wrong.items():
                patch.setenv(name, value)
            with pytest.raises(ValueError, match="NOVA_SMTP|nova"):
                Settings()
