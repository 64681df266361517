"""How often a page asks the database: little, once what it shows is in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from auth.passwords import hash_password
from dashboard.app import create_app
from domain.access import Role
from tests.browser.conftest import fill
from tests.browser.test_pages import PAGES
from tests.factories import make_bundle
from tests.web.conftest import ADMIN, CSRF, PASSWORD, router_call
from warehouse import caching
from warehouse.commands import users
from warehouse.pipeline import publish

AT_MOST = 4
BY_THE_DOOR = ('FROM support."user" JOIN support.session', "INSERT INTO support.audit_log")
"""Who asks, and the note that they did: before any callback, of every request."""


@pytest.fixture
def client(nova: str, engine: Engine, valkey_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """An administrator, signed in to an app of this process with a published run."""
    fill(engine)
    users.create(
        engine,
        email=ADMIN,
        name="Ana",
        role=Role.ADMIN,
        password_hash=hash_password(PASSWORD),
        actor=users.Actor(),
    )
    publish.publish_bundle(make_bundle(tmp_path, engine), engine=engine, published_by="tests")
    client = create_app().test_client()
    token = CSRF.search(client.get("/login").text)
    assert token
    form = {"email": ADMIN, "password": PASSWORD, "csrf_token": token.group(1)}
    assert client.post("/login", data=form).status_code == 303
    yield client
    caching.use(None)


def test_no_page_sends_more_than_four_statements(client: FlaskClient) -> None:
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if not any(part in " ".join(statement.split()) for part in BY_THE_DOOR):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for address in PAGES:
            path, _, search = address.partition("?")
            body = router_call(path, f"?{search}" if search else "")
            client.post("/_dash-update-component", json=body)
            sent.clear()
            answer = client.post("/_dash-update-component", json=body)
            assert answer.status_code == 200, address
            assert len(sent) <= AT_MOST, (address, sent)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
