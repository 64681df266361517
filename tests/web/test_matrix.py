"""Who may open what: every door of the registries, tried through HTTP by every kind of person, is
what docs/access.md says. A new door fails here until its line stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from api.openapi import CONVERTER
from api.routing import ROUTES
from auth.guards import PUBLIC
from dashboard import doors
from dashboard.pages import PAGES
from domain.access import COMPANY_WIDE, EVERYTHING, Permission, Role, may
from tests import services
from tests.web.conftest import ADMIN, ANALYST, SCOPED, VIEWER, Api, Browser, Site, nothing_fails
from tests.web.conftest import PEOPLE as ACCOUNTS
from tests.web.test_hostile import callback_body

DOCUMENT = services.ROOT / "docs" / "access.md"
ROW = re.compile(r"^\| `(?P<door>[^|]+)` \| (?P<rest>.+) \|$", re.MULTILINE)
SCOPED_ADMIN = "scoped-admin@nova.test"
PEOPLE = {"anonymous": None, "VIEWER": VIEWER, "ANALYST": ANALYST, "ADMIN": ADMIN, "scoped": SCOPED}
YES, NO, SIGN_IN = "yes", "no", "sign in"
NOBODYS = {"int": "987654321", None: "NO-SUCH"}
OPENED = {200, 204, 303, 400, 404, 405, 409, 413, 415, 422}
"""What an open door may answer to an empty request; 400 where it wants a form's token."""

HIDDEN = ("/", "/<path:path>", doors.CALLBACKS)
"""Dash's own addresses of pages and callbacks, which are listed one by one."""


@dataclass
class Person:
    """One column of the table: by token at the API, by cookie elsewhere, or nobody."""

    site: Site
    email: str | None
    token: str = ""
    browser: Browser | None = None

    def sign_in(self) -> None:
        self.browser = self.site.browser(self.email)
        self.token = self.site.tokens(self.email)["access_token"] if self.email else ""

    def api(self, method: str, path: str) -> requests.Response:
        if not self.email:
            return self.site.call(method, f"/api/v1{path}", json=_body(method))
        return Api(self.site, self.token).call(method, path, json=_body(method))

    def call(self, method: str, path: str) -> requests.Response:
        assert self.browser is not None
        return self.browser.call(method, path)

    def callback(self, body: dict[str, Any]) -> requests.Response:
        assert self.browser is not None
        return self.browser.callback(body)

    def open_page(self, path: str) -> requests.Response:
        assert self.browser is not None
        return self.browser.open_page(path)


def _body(method: str) -> dict[str, Any] | None:
    return None if method == "GET" else {}


Knock = Callable[[Person], requests.Response]


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, Person]:
    found = {name: Person(site, email) for name, email in PEOPLE.items()}
    for person in found.values():
        person.sign_in()
    return found


@pytest.fixture(scope="module")
def knocks(app: Flask) -> dict[str, tuple[str, Knock]]:
    """Every door by its name in the table, with the permission that it asks for."""
    return {**_routes(), **_pages(), **_callbacks(app), **_rules(app)}


def _routes() -> dict[str, tuple[str, Knock]]:
    return {
        f"{one.method} /api/v1{_shown(one.path)}": (
            str(one.permission),
            _knock("api", one.method, _example(one.path)),
        )
        for one in ROUTES
    }


def _pages() -> dict[str, tuple[str, Knock]]:
    return {
        f"page {_shown(entry.path)}": (
            str(entry.permission),
            _knock("open_page", _example(entry.path)),
        )
        for entry in PAGES
    }


def _callbacks(app: Flask) -> dict[str, tuple[str, Knock]]:
    found = {}
    for output, one in app.extensions["nova-dash"].callback_map.items():
        permission = getattr(one.get("callback"), "permission", None)
        if permission is not None:
            name = re.sub(r"@[0-9a-f]+", "", output)
            body = callback_body(output, one, None)
            found[f"callback {name}"] = (str(permission), _knock("callback", body))
    return found


def _rules(app: Flask) -> dict[str, tuple[str, Knock]]:
    known = {f"/api/v1{one.path}" for one in ROUTES}
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule in known or rule.rule in HIDDEN:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            permission = str(doors.permission_of(app, rule.endpoint))
            name = f"{method} {_shown(rule.rule)}"
            found[name] = (permission, _knock("call", method, _example(rule.rule)))
    return found


def _knock(how: str, *arguments: Any) -> Knock:
    return lambda person: getattr(person, how)(*arguments)


def _shown(path: str) -> str:
    return CONVERTER.sub(lambda found: "{" + found["name"] + "}", path)


def _example(path: str) -> str:
    """An address of something that does not exist: whoever may come in changes nothing."""
    words = {"locale": "pt_BR", "package_name": "dash"}
    return CONVERTER.sub(
        lambda found: words.get(found["name"], NOBODYS.get(found["kind"], "NO-SUCH")), path
    )


def outcome(answer: requests.Response) -> str:
    """What a person found: an open door, a closed one, or the way to the login page."""
    sent_to_login = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
    if answer.status_code == 401 or sent_to_login:
        return SIGN_IN
    if answer.status_code == 403:
        return NO
    return YES if answer.status_code in OPENED else f"answered {answer.status_code}"


def tried(person: Person, knock: Knock) -> str:
    """The outcome; whoever was signed out by an earlier door signs in again."""
    found = outcome(knock(person))
    if found == SIGN_IN and person.email:
        person.sign_in()
        found = outcome(knock(person))
    return found


def documented() -> dict[str, str]:
    """The table's rows: door → permission and outcomes."""
    rows = ROW.findall(DOCUMENT.read_text())
    assert len(dict(rows)) == len(rows), "a door is listed twice"
    return dict(rows)


def test_the_documented_matrix_is_the_one_that_is_served(
    people: dict[str, Person], knocks: dict[str, tuple[str, Knock]]
) -> None:
    served = {
        door: " | ".join([permission, *(tried(one, knock) for one in people.values())])
        for door, (permission, knock) in knocks.items()
    }
    told = documented()
    add = [f"| `{door}` | {rest} |" for door, rest in served.items() if told.get(door) != rest]
    drop = [f"| `{door}` | {rest} |" for door, rest in told.items() if served.get(door) != rest]
    advice = ["docs/access.md must have these lines:", *add, "and no longer these:", *drop]
    assert not add and not drop, "\n".join(advice)


def test_a_callback_that_is_open_was_really_called(
    site: Site, home: Path, people: dict[str, Person], knocks: dict[str, tuple[str, Knock]]
) -> None:
    """A body that Dash does not take would look like an open door."""
    with nothing_fails(site, home):
        for door, (_, knock) in knocks.items():
            if door.startswith(("callback ", "page ")):
                assert knock(people["ADMIN"]).status_code in (200, 204), door


def test_an_administrator_with_a_scope_finds_no_door_to_what_is_company_wide(
    site: Site, knocks: dict[str, tuple[str, Knock]]
) -> None:
    site.add_user(SCOPED_ADMIN, Role.ADMIN, ACCOUNTS[SCOPED][1])
    person = Person(site, SCOPED_ADMIN)
    person.sign_in()
    for door, (permission, knock) in knocks.items():
        if permission in COMPANY_WIDE:
            assert tried(person, knock) == NO, door


def test_the_table_follows_from_the_roles() -> None:
    """Anonymous signs in; a role's doors are those whose permission it holds."""
    everyone = [(role, EVERYTHING) for role in (Role.VIEWER, Role.ANALYST, Role.ADMIN)]
    everyone.append(ACCOUNTS[SCOPED])
    for door, rest in documented().items():
        permission, _, outcomes = rest.partition(" | ")
        expected = [YES] * 5
        if permission != PUBLIC:
            held = [may(role, Permission(permission), scope) for role, scope in everyone]
            expected = [SIGN_IN, *(YES if one else NO for one in held)]
        assert outcomes.split(" | ") == expected, door
