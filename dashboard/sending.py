"""Sending the board packs that are due: `flask send-reports`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlencode

from sqlalchemy import Engine

from callbacks import board_pack
from config import Settings
from dashboard.i18n import translator
from domain.errors import InvalidInput, NovaError
from domain.records import DataStatus
from domain.viewer import Viewer
from layouts import format as fmt
from layouts.shell import trained_words
from warehouse.commands import reports
from warehouse.commands.reports import Outcome, Taken
from warehouse.mail import MailRefused, MailServer
from warehouse.queries import status, users

log = logging.getLogger(__name__)


def server_of(settings: Settings) -> MailServer:
    """The mail server of the settings. Raises InvalidInput where none is named."""
    if settings.smtp_host is None:
        raise InvalidInput("NOVA_SMTP_HOST is not set: no e-mail can be sent.")
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password,
    )


def send_due(engine: Engine, settings: Settings) -> Iterator[tuple[Taken, Outcome]]:
    """Sends whatever is due, one after another; gives what came of each. Safe on several machines
    at once. Raises InvalidInput without a mail server."""
    server = server_of(settings)
    now = datetime.now(UTC)
    reports.queue_due(engine, now)
    while True:
        with reports.taken(engine, now) as found:
            if found is None:
                return
            _try(*found, server, settings)
        yield found


def _try(taken: Taken, outcome: Outcome, server: MailServer, settings: Settings) -> None:
    try:
        _send(taken, outcome, server, settings)
    except MailRefused as error:
        outcome.state, outcome.message = "refused", str(error)
    except NovaError as error:
        outcome.message = str(error)
    except Exception as error:  # one pack that cannot be made must not hold up the others
        log.exception("board pack %s could not be sent", taken.delivery_id)
        outcome.message = f"{type(error).__name__}: {error}"


def _send(taken: Taken, outcome: Outcome, server: MailServer, settings: Settings) -> None:
    account = users.known(taken.user_id)
    if not reports.may_have(account):
        outcome.state, outcome.message = "skipped", "The account is disabled, or may not export."
        return
    viewer = Viewer(
        name=account.name,
        email=account.email,
        role=account.role,
        scope=account.scope,
        locale=taken.language,
        user_id=account.user_id,
        t=translator(taken.language),
    )
    content = board_pack.made(viewer, taken.filters, taken.measure)
    current = status.current()
    outcome.run_id = current.run_id
    server.send(message_of(taken, viewer, current, content, settings))
    outcome.state = "sent"


def message_of(
    taken: Taken, viewer: Viewer, current: DataStatus, content: bytes, settings: Settings
) -> EmailMessage:
    """The e-mail. Its Message-ID is the sending's own, so that one that is handed in twice is known
    for the same."""
    t, day = viewer.t, fmt.day(current.as_of, viewer.locale)
    message = EmailMessage()
    message["Subject"] = t("Board pack, data until %(day)s", day=day)
    message["From"], message["To"] = settings.smtp_from, viewer.email
    message["Date"] = format_datetime(taken.due_at)
    domain = (settings.smtp_from or "").rpartition("@")[2].strip(" >") or "localhost"
    message["Message-ID"] = f"<board-pack-{taken.delivery_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_words(taken, viewer, current, settings)))
    label = "_demo" if current.is_demo else ""
    message.add_attachment(
        content,
        maintype="application",
        subtype="pdf",
        filename=f"nova-board-pack-{current.as_of}{label}.pdf",
    )
    return message


def _words(taken: Taken, viewer: Viewer, current: DataStatus, settings: Settings) -> list[str]:
    t = viewer.t
    filters = taken.filters
    chosen = ", ".join((*filters.region, *filters.uf, *filters.family))
    until = t(
        "Data until %(day)s, run %(run)s",
        day=fmt.day(current.as_of, viewer.locale),
        run=current.run_id,
    )
    said = [
        t("The board pack is attached."),
        t("Filters: %(filters)s", filters=chosen or t("none")),
        ", ".join([until, *trained_words(current, t, viewer.locale)]),
    ]
    if current.is_demo:
        said.insert(1, t("Demonstration data: made-up figures of a company that does not exist."))
    if settings.site_url:
        asked = {name: getattr(filters, name) for name in ("region", "uf", "family")}
        asked["measure"] = taken.measure
        query = urlencode({name: one for name, one in asked.items() if one}, doseq=True)
        said.append(f"{settings.site_url}/main" + (f"?{query}" if query else ""))
    said.append(t("Whoever administers users sets these e-mails up, and stops them."))
    return said
