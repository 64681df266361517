"""Administering users through the API: what it does, what it refuses, what it leaves on record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from domain.access import Role, Scope
from tests.waiting import waiting
from tests.web.conftest import ADMIN, ANALYST, PASSWORD, SCOPED, VIEWER, Site
from tests.web.test_same_numbers import stored

UNASKED: list[dict[str, Any]] = [
    {"password_hash": "x"},
    {"must_change_password": False},
    {"token_version": 0},
    {"user_id": 1},
    {"email": "other@nova.test"},
    {"id": 1},
    {"role": "ROOT"},
    {"role": ["ADMIN"]},
    {"active": "false"},
    {"active": 1},
    {"ufs": ["XX"]},
    {"ufs": "SP"},
    {"ufs": ["sp' OR 1=1"]},
    {"contracts": ["C-NONE"]},
    {"contracts": [1]},
    {"name": "a\nb"},
    {"name": "x" * 121},
    {"name": 5},
    {},
]


def test_an_account_from_its_making_to_its_end(site: Site) -> None:
    admin = site.api(ADMIN)
    body = {"email": "Made@nova.test", "name": "Maria Silva", "role": "ANALYST", "ufs": ["SP"]}
    made = admin.call("POST", "/users", json=body)
    assert made.status_code == 200 and made.headers["Cache-Control"] == "no-store"
    account = made.json()["data"]
    assert account | body == account and account["must_change_password"] is True
    path = f"/users/{account['id']}"
    browser = site.browser()
    assert browser.sign_in("made@nova.test", account["one_time_password"]).status_code == 303
    assert browser.get("/main").headers["Location"] == "/account"
    assert "one_time_password" not in admin.get(path).json()["data"]
    (session,) = admin.get(f"{path}/sessions").json()["data"]
    assert session["agent"].startswith("python-requests") and "session_hash" not in session
    ended = admin.call("DELETE", f"{path}/sessions")
    assert ended.status_code == 200
    assert browser.get("/main").headers["Location"].startswith("/login")
    change = {"name": "Maria S.", "role": "VIEWER", "contracts": ["C-SUL"], "active": False}
    changed = admin.call("PATCH", path, json=change).json()["data"]
    assert changed | change == changed and changed["ufs"] == ["SP"]
    assert admin.call("POST", f"{path}/reset").status_code == 422


def test_every_change_is_on_record_with_before_and_after(site: Site) -> None:
    number = site.add_user("recorded@nova.test", Role.VIEWER)
    admin = site.api(ADMIN)
    change = {"name": "R.", "role": "ANALYST", "ufs": ["BA", "SP"], "active": False}
    admin.call("PATCH", f"/users/{number}", json=change)
    admin.call("PATCH", f"/users/{number}", json=change)
    expected = {
        "user.rename": ({"name": "Recorded"}, {"name": "R."}),
        "user.set_role": ({"role": "VIEWER"}, {"role": "ANALYST"}),
        "user.set_scope": (
            {"ufs": [], "contracts": []},
            {"ufs": ["BA", "SP"], "contracts": []},
        ),
        "user.disable": ({"active": True}, {"active": False}),
    }
    for action, (before, after) in expected.items():
        rows = [row for row in site.audit(action) if row.object == "user:recorded@nova.test"]
        assert [(row.before, row.after) for row in rows] == [(before, after)]
        assert (rows[0].actor, rows[0].role, rows[0].address) == (ADMIN, "ADMIN", "127.0.0.1")
        assert rows[0].request_id


@pytest.mark.parametrize("change", UNASKED, ids=str)
def test_what_may_not_be_set_is_refused_and_changes_nothing(
    site: Site, change: dict[str, Any]
) -> None:
    admin = site.api(ADMIN)
    number = next(row["id"] for row in everyone(site) if row["email"] == SCOPED)
    before = admin.get(f"/users/{number}").json()["data"]
    refused = admin.call("PATCH", f"/users/{number}", json=change and {"name": "N", **change})
    assert refused.status_code == 422, refused.text
    assert refused.json()["error"]["fields"]
    assert admin.get(f"/users/{number}").json()["data"] == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": VIEWER.upper()}, 422, "email_taken"),
        ({"email": "no-address"}, 422, "invalid_email"),
        ({"email": "ana\u200b@nova.test"}, 422, "invalid_email"),
        ({"email": "ana@nova\u202etest"}, 422, "invalid_email"),
        ({"email": "a@b.c", "password": "chosen-by-admin"}, 422, "invalid_input"),
        ({"email": "a@b.c", "active": True}, 422, "invalid_input"),
        ({"email": "a@b.c", "role": "admin"}, 422, "invalid_input"),
        ({"email": "a@b.c", "ufs": ["ZZ"]}, 422, "invalid_input"),
        ({}, 422, "invalid_input"),
    ],
)
def test_an_account_is_not_made_of_anything(
    site: Site, body: dict[str, Any], status: int, code: str
) -> None:
    answer = site.api(ADMIN).call("POST", "/users", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_users_are_for_administrators_alone(site: Site) -> None:
    number = next(row["id"] for row in everyone(site) if row["email"] == VIEWER)
    calls = [
        ("GET", "/users"),
        ("POST", "/users"),
        ("GET", f"/users/{number}"),
        ("PATCH", f"/users/{number}"),
        ("POST", f"/users/{number}/reset"),
        ("GET", f"/users/{number}/sessions"),
        ("DELETE", f"/users/{number}/sessions"),
    ]
    for email in (VIEWER, ANALYST, SCOPED):
        api = site.api(email)
        assert {api.call(*call, json={}).status_code for call in calls} == {403}
    admin = site.api(ADMIN)
    for path in ("/users/2147483647", "/users/2147483647/sessions"):
        assert admin.get(path).status_code == 404


def test_an_administrator_with_a_scope_cannot_widen_it(site: Site) -> None:
    number = site.add_user("regional@nova.test", Role.ADMIN, Scope(ufs=("BA",)))
    regional = site.api("regional@nova.test")
    assert regional.get("/users").status_code == 403
    assert regional.call("PATCH", f"/users/{number}", json={"ufs": []}).status_code == 403
    assert regional.call("POST", "/users", json={"email": "x@nova.test"}).status_code == 403
    assert site.browser("regional@nova.test").open_page("/admin/users").status_code == 403


def test_the_list_is_paged_and_sorted(site: Site) -> None:
    admin = site.api(ADMIN)
    first = admin.get("/users", params={"limit": 2, "sort": "-last_login_at"}).json()
    rest = admin.get(
        "/users", params={"limit": 500, "sort": "-last_login_at", "cursor": first["meta"]["next"]}
    ).json()
    logins = [row["last_login_at"] for row in first["data"] + rest["data"]]
    known = [login for login in logins if login]
    assert len(logins) == first["meta"]["count"]
    assert known == sorted(known, reverse=True) and logins[: len(known)] == known
    assert admin.get("/users", params={"sort": "password_hash"}).status_code == 422


def test_two_administrators_cannot_remove_each_other(start_server: Any, database_url: str) -> None:
    """Both ask at once, many times: one administrator is always left."""
    from tests.web import conftest
    from warehouse.db import make_engine

    engine = make_engine(database_url)
    site = Site(start_server(database_url), engine)
    pair = ("one@nova.test", "two@nova.test")
    numbers = [site.add_user(email, Role.ADMIN) for email in pair]
    for turn in range(4):
        changes = [{"active": False}, {"role": "VIEWER"}]
        calls = [
            (site.api(email).token, numbers[1 - index], changes[(turn + index) % 2])
            for index, email in enumerate(pair)
        ]
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(
                    lambda call: conftest.Api(site, call[0]).call(
                        "PATCH", f"/users/{call[1]}", json=call[2]
                    ),
                    calls,
                )
            )
        assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 422])
        with engine.begin() as connection:
            sql = "SELECT count(*) FROM support.\"user\" WHERE role = 'ADMIN' AND active"
            assert connection.execute(text(sql)).scalar() == 1
            connection.execute(text("UPDATE support.\"user\" SET role = 'ADMIN', active = true"))
    alone = site.api(pair[0])
    alone.call("PATCH", f"/users/{numbers[1]}", json={"active": False})
    for change in ({"active": False}, {"role": "ANALYST"}, {"ufs": ["SP"]}):
        refused = alone.call("PATCH", f"/users/{numbers[0]}", json=change)
        assert refused.status_code == 422
        assert refused.json()["error"]["code"] == "last_administrator"
    engine.dispose()


def test_parts_of_a_scope_that_are_changed_at_once_are_both_kept(site: Site) -> None:
    number = site.add_user("both@nova.test")
    admin, parts = site.api(ADMIN), ({"ufs": ["SP"]}, {"contracts": ["C-SUL"]})
    seeing = site.engine.execution_options(isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(2) as pool, site.engine.connect() as other, seeing.connect() as eye:
        other.execute(text('SELECT FROM support."user" FOR UPDATE'))
        calls = [pool.submit(admin.call, "PATCH", f"/users/{number}", json=part) for part in parts]
        while waiting(eye) < len(parts):
            assert not any(call.done() for call in calls)
        other.rollback()
        assert [call.result().status_code for call in calls] == [200, 200]
    account = admin.get(f"/users/{number}").json()["data"]
    assert (account["ufs"], account["contracts"]) == (["SP"], ["C-SUL"])


def everyone(site: Site) -> list[dict[str, Any]]:
    return site.api(ADMIN).get("/users", params={"limit": 500}).json()["data"]


def test_the_password_of_a_new_account_is_in_no_row(site: Site) -> None:
    made = site.api(ADMIN).call("POST", "/users", json={"email": "quiet@nova.test"})
    password = made.json()["data"]["one_time_password"]
    with site.engine.connect() as connection:
        rows = connection.execute(text("SELECT string_agg(a::text, ' ') FROM support.audit_log a"))
        told = rows.scalar_one()
    assert "user:quiet@nova.test" in told
    assert password not in told and PASSWORD not in told and "$2b$" not in told


SHOWN = {"name": "Shown", "role": "ANALYST", "ufs": ["BA"], "contracts": ["C-SUL"]}


def act(
    name: str, user_id: Any, *values: Any, shown: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The body that the page's buttons send."""
    button = {"name": name, "type": "user-action"}
    fields = zip(SHOWN, values, strict=True)
    return {
        "output": "user-page.children",
        "outputs": {"id": "user-page", "property": "children"},
        "inputs": [[{"id": button, "property": "n_clicks", "value": 1}]],
        "state": [
            {"id": "user-id", "property": "data", "value": user_id},
            {"id": "user-shown", "property": "data", "value": shown or SHOWN},
            *(
                {"id": f"user-{field}", "property": "value", "value": value}
                for field, value in fields
            ),
        ],
        "changedPropIds": [f'{{"name":"{name}","type":"user-action"}}.n_clicks'],
    }


@pytest.mark.parametrize(
    ("name", "role", "ufs", "contracts"),
    [
        ("N", "ROOT", [], []),
        ("N", ["ADMIN"], [], []),
        ("N", None, [], []),
        ("N", "VIEWER", "SP", []),
        ("N", "VIEWER", {}, []),
        ("N", "VIEWER", [["SP"]], []),
        ("N", "VIEWER", ["XX"], []),
        ("x" * 121, "VIEWER", [], []),
    ],
    ids=str,
)
def test_what_a_forged_form_says_is_refused_and_changes_nothing(
    site: Site, name: Any, role: Any, ufs: Any, contracts: Any
) -> None:
    number = next(row["id"] for row in everyone(site) if row["email"] == SCOPED)
    before = site.api(ADMIN).get(f"/users/{number}").json()["data"]
    browser = site.browser(ADMIN)
    for user_id in (number, str(number), None, -1, 2**40, True):
        answer = browser.callback(act("save", user_id, name, role, ufs, contracts))
        assert answer.status_code == 200 and "toasts" in answer.text
        assert "o erro foi registrado" not in answer.text, "refused, not stumbled over"
    assert site.api(ADMIN).get(f"/users/{number}").json()["data"] == before
    assert browser.callback(act("drop", number, "N", "VIEWER", [], [])).status_code == 200
    kept = site.api(ADMIN).get(f"/users/{number}").json()["data"]
    assert kept == before


def test_a_page_that_was_open_takes_nothing_back(site: Site) -> None:
    """Somebody else changes role and scope meanwhile; the form's owner corrects the name alone."""
    number = site.add_user("stale@nova.test", Role.ADMIN)
    browser, path = site.browser(ADMIN), f"/admin/users/{number}"
    shown = stored(browser.open_page(path), "user-shown")
    assert shown == {"name": "Stale", "role": "ADMIN", "ufs": [], "contracts": []}
    meanwhile = {"role": "VIEWER", "ufs": ["SP"], "contracts": ["C-SUL"]}
    assert site.api(ADMIN).call("PATCH", f"/users/{number}", json=meanwhile).status_code == 200
    saved = browser.callback(act("save", number, "Stela", "ADMIN", None, [], shown=shown))
    assert saved.status_code == 200
    now = stored(saved, "user-shown")
    assert now == {"name": "Stela"} | meanwhile
    cleared = act("save", number, "Stela", "VIEWER", None, ["C-SUL"], shown=now)
    assert stored(browser.callback(cleared), "user-shown") == now | {"ufs": []}


def test_only_administrators_may_press_the_buttons(site: Site) -> None:
    number = next(row["id"] for row in everyone(site) if row["email"] == VIEWER)
    for email in (VIEWER, ANALYST):
        pressed = site.browser(email).callback(act("save", number, "N", "ADMIN", [], []))
        assert pressed.status_code == 403
    assert site.browser().callback(act("end", number, "N", "ADMIN", [], [])).status_code == 401
