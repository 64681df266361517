"""Saved views: one's own, one's role's, and the one to begin with."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from sqlalchemy import text

from domain.access import Role
from tests.web.conftest import ADMIN, ANALYST, PASSWORD, SCOPED, VIEWER, Browser, Site
from warehouse.commands import views
from warehouse.commands.users import Actor

VIEW = re.compile(r"/views/(\d+)/delete")


FIFTY = """
INSERT INTO support.saved_view (user_id, page, name, state)
SELECT :user_id, '/main', 'view ' || number, '{"query": ""}' FROM generate_series(1, 50) AS number
"""


def post(browser: Browser, path: str, **fields: str) -> int:
    token = browser.csrf_token_of_page()
    return browser.call("POST", path, data=fields | {"csrf_token": token}).status_code


def menu(browser: Browser) -> str:
    return json.dumps(browser.get("/_dash-layout").json(), ensure_ascii=False)


def test_a_view_is_saved_shared_begun_with_and_dropped(site: Site) -> None:
    analyst, viewer = site.browser(ANALYST), site.browser(VIEWER)
    address = "/main?uf=SP&measure=units"
    shared = {"name": "São Paulo", "address": address, "shared_with": "VIEWER"}
    assert post(analyst, "/views", **shared) == 303
    assert "São Paulo" in menu(analyst) and "São Paulo" in menu(viewer)
    assert VIEW.search(menu(viewer)) is None
    (number,) = VIEW.findall(menu(analyst))
    assert "A visão desaparece na hora, também para Leitor." in menu(analyst)
    assert site.audit("view.save")[-1].after["query"] == "uf=SP&measure=units"
    assert post(viewer, f"/views/{number}/delete") == 404
    assert post(site.browser(SCOPED), f"/views/{number}/start") == 404

    assert post(analyst, f"/views/{number}/start") == 303
    assert analyst.get("/").headers["Location"] == address
    assert '"aria-pressed": "true"' in menu(analyst)
    again = site.browser()
    assert again.sign_in(ANALYST, PASSWORD).headers["Location"] == address
    assert post(analyst, f"/views/{number}/start") == 303
    assert analyst.get("/").headers["Location"] == "/main"

    assert post(viewer, f"/views/{number}/role-start") == 403
    assert post(analyst, f"/views/{number}/role-start") == 303
    assert viewer.get("/").headers["Location"] == address, "what the role begins with"
    assert analyst.get("/").headers["Location"] == "/main", "another role"
    assert site.audit("view.role_start")[-1].object == f"view:{number}"
    assert post(viewer, "/views", name="Mine", address="/inventory?uf=BA") == 303
    (own,) = VIEW.findall(menu(viewer))
    assert post(viewer, f"/views/{own}/start") == 303
    assert viewer.get("/").headers["Location"] == "/inventory?uf=BA", "the own choice goes first"
    assert post(viewer, f"/views/{number}/start") == 303
    assert viewer.get("/").headers["Location"] == address
    hidden = {"name": "Hidden", "address": "/admin/users", "shared_with": "VIEWER"}
    admin = site.browser(ADMIN)
    assert post(admin, "/views", **hidden) == 303
    (closed,) = VIEW.findall(menu(admin))
    assert post(admin, f"/views/{closed}/role-start") == 303
    assert post(viewer, f"/views/{number}/start") == 303
    assert viewer.get("/").headers["Location"] == "/main", "not what the role may not open"
    assert post(admin, f"/views/{closed}/delete") == post(viewer, f"/views/{own}/delete") == 303

    assert post(analyst, "/views", **shared | {"address": "/main?uf=RJ"}) == 303
    assert VIEW.findall(menu(analyst)) == [number], "the same name is the same view"
    assert post(analyst, f"/views/{number}/delete") == 303
    assert "São Paulo" not in menu(analyst) and "São Paulo" not in menu(viewer)


def test_a_view_that_the_scope_closes_is_neither_listed_nor_begun_with(site: Site) -> None:
    """/admin/data speaks of the whole company: analysts may open it, those with a scope may not."""
    analyst, scoped = site.browser(ANALYST), site.browser(SCOPED)
    shared = {"name": "Last loads", "address": "/admin/data?v=1", "shared_with": "ANALYST"}
    assert post(analyst, "/views", **shared) == 303
    (number,) = VIEW.findall(menu(analyst))
    for kind in ("role-start", "start"):
        whose = analyst if kind == "role-start" else scoped
        assert post(whose, f"/views/{number}/{kind}") == 303
        assert scoped.get("/").headers["Location"] == "/main"
        signing_in = site.browser().sign_in(SCOPED, PASSWORD)
        assert signing_in.headers["Location"] == "/main"
    assert "Last loads" in menu(analyst) and "Last loads" not in menu(scoped)
    assert site.api(SCOPED).get("/views").json()["data"] == []
    assert analyst.get("/").headers["Location"] == "/admin/data?v=1"
    assert post(analyst, f"/views/{number}/delete") == 303


def test_what_is_no_page_of_the_reader_is_refused(site: Site) -> None:
    viewer = site.browser(VIEWER)
    for fields in (
        {"name": "", "address": "/main"},
        {"name": "x" * 81, "address": "/main"},
        {"name": "away", "address": "https://elsewhere.example/main"},
        {"name": "away", "address": "//elsewhere.example/main"},
        {"name": "nowhere", "address": "/nothing"},
        {"name": "hidden", "address": "/admin/users"},
        {"name": "long", "address": "/main?x=" + "y" * 2000},
        {"name": "role", "address": "/main", "shared_with": "OWNER"},
    ):
        assert post(viewer, "/views", **fields) == 422, fields
    assert post(viewer, "/views", name="ours", address="/main", shared_with="VIEWER") == 403
    assert viewer.call("POST", "/views", data={"name": "a", "address": "/main"}).status_code == 400
    assert "Nada salvo ainda" in menu(viewer)


def test_a_refused_form_says_what_to_do_about_it(site: Site) -> None:
    user_id = site.add_user("keeper@nova.test")
    keeper = site.browser("keeper@nova.test")

    def refused(path: str, **fields: str) -> str:
        form = fields | {"csrf_token": keeper.csrf_token_of_page()}
        answer = keeper.call("POST", path, data=form)
        assert answer.status_code == 422
        return answer.text

    with site.engine.begin() as connection:
        connection.execute(text(FIFTY), {"user_id": user_id})
    assert "até 80 letras" in refused("/views", name="x" * 81, address="/main")
    long = "/main?x=" + "y" * 2000
    assert "mais de 2.000 letras" in refused("/views", name="long", address=long)
    assert "50 visões salvas: exclua" in refused("/views", name="one more", address="/main")
    first, *_ = VIEW.findall(menu(keeper))
    assert "tem este nome" in refused(f"/views/{first}/rename", name="view 50")


def test_programs_keep_the_same_views(site: Site) -> None:
    analyst, viewer = site.api(ANALYST), site.api(VIEWER)
    told = {"name": "Bahia", "address": "/inventory?uf=BA&v=1", "shared_with": "VIEWER"}
    assert viewer.call("POST", "/views", json=told).status_code == 403
    (kept,) = analyst.call("POST", "/views", json=told).json()["data"]
    assert (kept["name"], kept["page"], kept["query"]) == ("Bahia", "/inventory", "uf=BA&v=1")
    assert viewer.get("/views").json()["data"][0]["mine"] is False
    one = f"/views/{kept['view_id']}"
    assert viewer.call("PATCH", one, json={"name": "Mine"}).status_code == 404
    assert viewer.call("DELETE", one).status_code == 404
    assert analyst.call("PATCH", one, json={"name": "Salvador"}).json()["data"][0]["name"] == (
        "Salvador"
    )
    assert site.audit("view.rename")[-1].after == {"name": "Salvador"}
    browser = site.browser(ANALYST)
    assert post(browser, f"{one}/rename", name=" Depósito  BA ") == 303
    assert "Depósito BA" in menu(browser)
    for bad in ({"name": ""}, {"name": "x" * 81}):
        assert analyst.call("PATCH", one, json=bad).status_code == 422
    for address in ("/admin/users", "/nothing", "//elsewhere.example/main"):
        assert analyst.call("POST", "/views", json=told | {"address": address}).status_code == 422
    assert analyst.call("DELETE", one).json()["data"] == []


def test_the_audit_log_says_what_of_a_view_changed(site: Site) -> None:
    owner, other = (
        site.add_user(f"{name}@views.test", Role.ANALYST) for name in ("owner", "other")
    )
    owners, others = Actor("owner@views.test"), Actor("other@views.test")
    save = partial(views.save, site.engine, page="/main", shared_with=Role.ANALYST)
    first = save(user_id=owner, name="A", query="uf=SP", actor=owners)
    own = save(user_id=owner, name="B", query="", actor=owners)
    foreign = save(user_id=other, name="C", query="", actor=others)

    def told(action: str, *of: int) -> list[tuple[int, Any, Any]]:
        """What the audit log says of the action on these views, oldest first."""
        rows = site.audit(f"view.{action}")
        objects = {f"view:{number}": number for number in of}
        return [
            (objects[one.object], one.before, one.after) for one in rows if one.object in objects
        ]

    for number in (first, own, own):
        views.start_with(site.engine, number, user_id=owner, role=Role.ANALYST, actor=owners)
    on, off = {"is_start": True}, {"is_start": False}
    assert told("start", first, own) == [
        (first, off, on),
        (first, on, off),
        (own, off, on),
        (own, on, off),
    ]
    views.role_starts_with(site.engine, foreign, user_id=other, actor=others)
    for _ in range(2):
        views.role_starts_with(site.engine, first, user_id=owner, actor=owners)
    on, off = {"is_role_start": True}, {"is_role_start": False}
    assert told("role_start", first, foreign) == [
        (foreign, off, on),
        (foreign, on, off),
        (first, off, on),
        (first, on, off),
    ]
    views.rename(site.engine, first, "Z", user_id=owner, actor=owners)
    assert told("rename", first) == [(first, {"name": "A"}, {"name": "Z"})]
    save(user_id=owner, name="Z", query="uf=RJ", actor=owners)
    was = {"name": "Z", "page": "/main", "query": "uf=SP", "shared_with": "ANALYST", **off}
    assert told("save", first)[-1] == (first, was, was | {"query": "uf=RJ"})
    views.remove(site.engine, first, user_id=owner, actor=owners)
    assert told("delete", first) == [(first, was | {"query": "uf=RJ"}, None)]
    for number, user_id, actor in ((own, owner, owners), (foreign, other, others)):
        views.remove(site.engine, number, user_id=user_id, actor=actor)
