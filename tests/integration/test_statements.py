"""How often a page asks the database: little, whatever of it is in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, event, text

from benchmarks.pages import opening
from callbacks import inventory
from dashboard.app import create_app
from domain.access import Role
from domain.clock import today
from layouts import admin_settings, admin_users, inbox
from layouts.components.queue import COUNTED, LIST, TOTALS
from layouts.components.queue import part_of as part_of_panel
from layouts.overrides import WHATS, end_id
from layouts.recommendation_card import action_id, pick_id
from tests.browser.conftest import fill
from tests.browser.test_pages import PAGES
from tests.factories import hash_of, make_bundle
from tests.web.conftest import (
    ADMIN,
    CSRF,
    PASSWORD,
    part_call,
    unfolding,
    with_parts,
    written,
)
from warehouse import caching
from warehouse.commands import jobs, users
from warehouse.db import get_engine
from warehouse.pipeline import publish
from warehouse.queries import chain

AT_MOST, CALLBACKS = 4, 6
BY_THE_DOOR = 'FROM support."user" JOIN support.session'
"""Who asks: before any callback, of every request."""
LIMITED = text(
    "UPDATE analytics.run SET manifest = jsonb_set(manifest, '{counts,series_trained}', '1')"
)
"""Not every series was trained: then a page without a choice asks for one that was."""
HERE = {"id": "_pages_location", "property": "search", "value": ""}
TABS = [
    *(
        f"/materials/CABO-01?site=DEP-SP&tab={tab}"
        for tab in ("demand", "stock", "forecast", "decisions", "decisions&alert=1", "drivers")
    ),
    *(
        f"/features?tab={tab}"
        for tab in (
            "clusters&uf=SP",
            "clusters&of=towers&cluster=1",
            "formulas",
            "formulas&formula=mase&sku=CABO-01&site=DEP-SP",
            "formulas&formula=eoq&sku=CABO-01&site=DEP-SP",
        )
    ),
]


class Kept(dict[str, bytes]):
    """A cache with nothing in it yet."""

    def set(self, key: str, value: bytes, timeout: int) -> None:
        self[key] = value


@pytest.fixture
def client(nova: str, engine: Engine, valkey_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """An administrator, signed in to an app of this process with a published run."""
    fill(engine)
    users.create(
        engine,
        email=ADMIN,
        name="Ana",
        role=Role.ADMIN,
        password_hash=hash_of(PASSWORD),
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


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The statements that callbacks send, as they send them."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if BY_THE_DOOR not in " ".join(statement.split()):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def opened(address: str) -> dict[str, Any]:
    """What the router is asked for at this address."""
    path, mark, search = address.partition("?")
    return opening(path, mark + search)


def asked(client: FlaskClient, body: dict[str, Any]) -> Any:
    """The answer of a callback."""
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, body
    return answer.get_json()


def part_of(client: FlaskClient, identity: dict[str, Any]) -> Any:
    """What a part shows."""
    [properties] = asked(client, part_call(identity))["response"].values()
    return properties["children"]


def call(outputs: list[str], name: Any, value: Any, *state: Any) -> dict[str, Any]:
    """What a callback is sent when the input `name` (`id.property`, or both of a pattern) is this
    now."""
    told = [dict(zip(("id", "property"), one.split("."), strict=True)) for one in outputs]
    is_one, said = len(told) == 1, name if isinstance(name, list) else name.split(".")
    source = {"id": said[0], "property": said[1], "value": value}
    is_pattern = isinstance(said[0], dict)
    identity = written(said[0]) if is_pattern else said[0]
    return {
        "output": outputs[0] if is_one else f"..{'...'.join(outputs)}..",
        "outputs": told[0] if is_one else told,
        "inputs": [[source] if is_pattern else source],
        "state": list(state),
        "changedPropIds": [f"{identity}.{said[1]}"],
    }


def decision_calls(
    path: str, action: dict[str, Any], pick: Callable[[int], dict[str, Any]], ticked: list[int]
) -> list[dict[str, Any]]:
    """What a button for those that are ticked sends, and what its answer sets off, in turn."""
    name = path[1:]
    ticks = [{"id": pick(one), "property": "value", "value": [one]} for one in ticked]
    own: list[Any] = (
        [[]] * 4 if path == "/recommendations" else [{"id": "alert-give-to", "property": "value"}]
    )
    totals, counted, rows = (part_of_panel(name, part, "") for part in (TOTALS, COUNTED, LIST))
    every = [part_of_panel(name, part, ["ALL"]) for part in (TOTALS, COUNTED)]
    return [
        call([f"{name}-decided.data"], [action, "n_clicks"], 1, ticks, *own),
        {
            "output": f"..{written(every[0])}.children...{written(every[1])}.data..",
            "outputs": [
                [{"id": totals, "property": "children"}],
                [{"id": counted, "property": "data"}],
            ],
            "inputs": [{"id": f"{name}-decided", "property": "data", "value": "1"}],
            "state": [[{"id": totals, "property": "id", "value": totals}]],
            "changedPropIds": [f"{name}-decided.data"],
        },
        {
            "output": f"{written(part_of_panel(name, LIST, ['MATCH']))}.children",
            "outputs": {"id": rows, "property": "children"},
            "inputs": [{"id": counted, "property": "data", "value": "1"}],
            "state": [{"id": rows, "property": "id", "value": rows}],
            "changedPropIds": [f"{written(counted)}.data"],
        },
    ]


def parts_of(answer: Any) -> list[dict[str, Any]]:
    """The parts that a page has left for later."""
    parts: list[dict[str, Any]] = []
    with_parts(answer, parts.append)
    return parts


def test_no_page_sends_more_than_four_statements(client: FlaskClient, sent: list[str]) -> None:
    for address in PAGES:
        with_parts(asked(client, opened(address)), partial(part_of, client))
        sent.clear()
        again = asked(client, opened(address))
        assert parts_of(again) == [] and len(sent) <= AT_MOST, (address, sent)


def test_with_an_empty_cache_pages_come_in_parts(
    client: FlaskClient, engine: Engine, sent: list[str]
) -> None:
    with engine.begin() as connection:
        connection.execute(LIMITED)
    for address in (*PAGES, *TABS, "/forecasts"):
        caching.use(Kept())
        sent.clear()
        asked_for = list[str]()

        def part(identity: dict[str, Any], of: str = address, names: list[str] = asked_for) -> Any:
            sent.clear()
            shown = part_of(client, identity)
            assert len(sent) <= AT_MOST, (of, identity["name"], sent)
            assert sum("scored AS (" in one for one in sent) <= 1, "suppliers are compared once"
            names.append(identity["name"])
            return shown

        page = asked(client, opened(address))
        assert len(sent) <= AT_MOST, (address, sent)
        whole = str(with_parts(page, part))
        assert "state-failed" not in whole, address
        assert ("state-error" in whole) == (address == "/nowhere"), address
        assert 1 + len(asked_for) <= CALLBACKS, (address, asked_for)


def test_a_row_or_tab_of_the_inventory_takes_few_statements(
    client: FlaskClient, sent: list[str]
) -> None:
    for tab in inventory.TABS:
        sent.clear()
        caching.use(Kept())
        chosen = {"item": "CABO-01", "depot": "DEP-RJ", "tab": tab}
        body = call(["inventory-detail.children"], "inventory-chosen.data", chosen, HERE)
        shown = asked(client, body)
        assert "state-failed" not in str(shown) and "state-error" not in str(shown), tab
        assert len(sent) <= AT_MOST, (tab, sent)


def test_a_receipt_that_is_unfolded_takes_few_statements(
    client: FlaskClient, engine: Engine, sent: list[str]
) -> None:
    find = """
        SELECT id, item_id, site_id FROM analytics.recommendation
        JOIN core.site USING (site_id) WHERE uf = 'SP' ORDER BY id LIMIT 1
    """
    transfer = """
        UPDATE analytics.recommendation SET kind = 'TRANSFER',
            from_site_id = (SELECT site_id FROM core.site WHERE site = 'DEP-BA')
        WHERE id = :id
    """
    with engine.begin() as connection:
        number = connection.execute(text(find)).one().id
        connection.execute(text(transfer), {"id": number})
    for body in (
        unfolding("recommendation", number=number),
        unfolding("policy", sku="CABO-01", site="DEP-SP"),
    ):
        caching.use(Kept())
        sent.clear()
        shown = str(asked(client, body))
        assert "Run" in shown or "rodada" in shown, shown
        assert len(sent) <= AT_MOST, (body["output"], sent)


@pytest.mark.parametrize(
    ("path", "presses", "pick", "decided"),
    [
        ("/alerts", [inbox.action_id("acknowledged", 0)] * 2, inbox.pick_id, 3),
        ("/alerts", [inbox.action_id("mine", 0)] * 2, inbox.pick_id, 3),
        ("/recommendations", [action_id("done", 0)] * 2, pick_id, 2),
    ],
)
def test_deciding_sends_few_statements_and_about_many_no_more_than_about_one(
    client: FlaskClient,
    sent: list[str],
    path: str,
    presses: list[dict[str, Any]],
    pick: Any,
    decided: int,
) -> None:
    one, many = presses
    table, counts = path[1:-1], []
    with get_engine().connect() as connection:
        numbers = list(connection.scalars(text(f"SELECT id FROM analytics.{table} ORDER BY id")))
    for press, ticked in ((one, numbers[:1]), (many, numbers)):
        with_parts(asked(client, opened(path)), partial(part_of, client))
        for number, body in enumerate(decision_calls(path, press, pick, ticked)):
            sent.clear()
            shown = asked(client, body)
            assert len(sent) <= AT_MOST and "'danger'" not in str(shown), (number, sent, shown)
            if number == 0:
                counts.append(len(sent))
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT fingerprint FROM support.decision")).all()
        sql = text("SELECT object FROM support.audit_log WHERE action LIKE :of")
        told = connection.execute(sql, {"of": f"{table}.%"}).all()
    assert sorted(rows) == sorted(told) and len(told) == decided > len(numbers[1:])
    assert counts[0] == counts[1]


def test_who_decides_while_a_derivation_writes_is_told_so(
    client: FlaskClient, engine: Engine
) -> None:
    """In their language, by the page and the API; nobody waits here for as long as requests do."""
    client.set_cookie("nova_locale", "pt_BR")

    def hurry(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 50")

    body = {"email": ADMIN, "password": PASSWORD}
    token = client.post("/api/v1/auth/login", json=body).get_json()["data"]["access_token"]
    event.listen(get_engine(), "begin", hurry)
    press, *_ = decision_calls("/alerts", inbox.action_id("resolved", 1), inbox.pick_id, [])
    with engine.connect() as derivation:
        derivation.execute(text("LOCK TABLE analytics.alert IN EXCLUSIVE MODE"))
        told = client.post("/_dash-update-component", json=press)
        refused = client.patch(
            "/api/v1/alerts/1",
            json={"status": "resolved"},
            headers={"Authorization": f"Bearer {token}"},
        )
    assert "Os números estão sendo atualizados. Tente de novo em instantes." in str(told.get_json())
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.get_json()["error"]["code"] == "being_updated"


def button(
    outputs: list[str], name: str, search: str = "", *state: dict[str, Any]
) -> dict[str, Any]:
    """What a button sends of a page at this address."""
    return call(outputs, f"{name}.n_clicks", 1, HERE | {"value": search}, *state)


def of_account(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    """What a button of `/admin/users/2` sends."""
    outputs = [f"{admin_users.PAGE}.children"]
    number = {"id": "user-id", "property": "data", "value": 2}
    before = {"name": "Bia", "role": "VIEWER", "ufs": ["SP"], "contracts": []}
    shown = {"id": admin_users.SHOWN, "property": "data", "value": before}
    return call(outputs, [admin_users.action_id(name), "n_clicks"], 1, number, shown, *fields)


def test_what_people_press_sends_few_statements(
    client: FlaskClient, engine: Engine, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "spawn", lambda _engine, _job_id: None)
    accounts: dict[str, tuple[Any, Any]] = {
        "email": ("bia@nova.example", None),
        "name": ("Bia", "Beatriz"),
        "role": ("VIEWER", "ANALYST"),
        "ufs": (["SP"], ["BA", "SP"]),
        "contracts": ([], []),
    }
    fields, more = (
        [
            {"id": f"user-{name}", "property": "value", "value": values[place]}
            for name, values in accounts.items()
        ][place:]
        for place in (0, 1)
    )
    thresholds = [
        [
            {"id": admin_settings.field_id(name), "property": what, "value": value}
            for name, value in (
                *(("warning_days", 20), ("order_cost_brl", 99), ("review_days", 8)),
                ("method", "textbook"),
            )
        ]
        for what in ("value", "id")
    ]
    for field in thresholds[1]:
        field["value"] = field["id"]
    shown = {"id": admin_settings.SHOWN, "property": "data", "value": {}}
    presses = [
        call(["new-user.children"], f"{admin_users.CREATE}.n_clicks", 1, *fields),
        *(
            of_account(name, more)
            for name in (
                admin_users.SAVE,
                admin_users.RESET,
                admin_users.END,
                admin_users.DISABLE,
                admin_users.ENABLE,
            )
        ),
        call(
            [f"{admin_settings.PANEL}.children"],
            f"{admin_settings.SAVE}.n_clicks",
            1,
            *thresholds,
            shown,
        ),
        button(["publish-address.search"], "publish-run", "?publish=1"),
        button(["job-cancel.children"], "cancel-job", "?job=2"),
        button(["override-cancelling.children"], "override-cancel", "?job=1"),
        button(["again-address.search"], "derive-again", "?job=1"),
        button(["override-again.search"], "override-derive", "?job=1"),
        call(
            ["job-panel.children", "job-ended.data"],
            "job-tick.n_intervals",
            1,
            HERE | {"value": "?job=1"},
        ),
        call(["data-tables.children"], "job-ended.data", 1, HERE),
    ]
    at = "?sku=CABO-01&site=DEP-SP"
    quantity = {"what": "quantity", "amount": 40, "sku": "CABO-01", "site": "DEP-SP"}
    why = {"reason": "project", "note": "anel", "expires": str(today() + timedelta(days=30))}
    for periods in (["2025-07-01", "2025-07-02"], ["2025-07-02"]):
        wanted = quantity | {"from": periods[0], "to": periods[-1], "periods": periods}
        state: list[dict[str, Any]] = [
            {"id": "override-asked", "property": "data", "value": wanted},
            {"id": "override-amount", "property": "value", "value": 40},
            *(
                {"id": f"override-{name}", "property": "value", "value": value}
                for name, value in why.items()
            ),
        ]
        outputs = ["override-address.search", "override-refused.children"]
        presses.append(button(outputs, "override-save", at, *state))
    of = {"id": "override-of", "property": "data", "value": {"sku": "CABO-01", "site": "DEP-SP"}}
    amount = {"id": "override-amount", "property": "value", "value": 40}
    for what in WHATS:
        outputs = ["override-preview.children"]
        search = f"{at}&adjust={what}"
        presses.append(button(outputs, "override-preview-button", search, of, amount))
    presses.append(call(["override-ended.search"], [end_id(1), "n_clicks"], 1, HERE))
    for body in presses:
        caching.use(Kept())
        sent.clear()
        told = asked(client, body)
        assert len(sent) <= AT_MOST and "'danger'" not in str(told), (body, sent, told)
        if body["output"] == "override-cancelling.children":
            with engine.begin() as connection:
                connection.execute(text("UPDATE support.job SET state = 'failed'"))
    with engine.connect() as connection:
        audited = "SELECT action FROM support.audit_log WHERE action !~ '^(page|session)'"
        actions = set(connection.scalars(text(audited)))
    with engine.connect() as connection:
        assert chain.verify(connection).problem is None
    assert actions >= {
        *("override.save", "override.end"),
        *("user.create", "user.rename", "user.set_role", "user.set_scope", "user.make_reset_link"),
        *("user.end_sessions", "user.disable", "user.enable", "setting.change", "job.start"),
        *("job.cancel",),
    }


def test_without_a_cache_pages_come_in_parts_too(client: FlaskClient) -> None:
    caching.use(None)
    parts = parts_of(asked(client, opened("/main?uf=SP")))
    assert len(parts) > 1
    for part in parts:
        told = str(asked(client, part_call(part)))
        assert "surface" in told and "state-failed" not in told
