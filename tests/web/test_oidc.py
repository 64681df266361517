"""Signing in by the organisation's service, against a provider that answers rightly and wrongly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from sqlalchemy import text

from domain.access import Role
from tests.conftest import StartServer
from tests.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    encoded,
    provided,
    settings_for,
)
from tests.web.conftest import PASSWORD, Browser, Site
from tests.web.test_headers import COMPLETE, policy_of, started
from warehouse.commands import subjects, users

GROUPS = "telecom-admins=ADMIN, telecom-analysts=ANALYST,cn=readers=VIEWER"
START, BACK = "/login/oidc", "/login/oidc/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    provider.be_honest()
    provider.refusals.clear()
    provider.person = person("ana", groups=["telecom-analysts"])


@pytest.fixture(scope="module")
def federated(site: Site, provider: Provider, start_server: StartServer) -> Site:
    """The product with the provider as its sign-in service, on the database of the others."""
    database = site.engine.url.render_as_string(hide_password=False)
    return Site(start_server(database, **settings_for(provider, GROUPS)), site.engine)


def person(name: str, **more: Any) -> dict[str, Any]:
    return {
        "sub": f"sub-{name}",
        "email": f"{name}@corp.test",
        "email_verified": True,
        "name": name.title(),
        "groups": [],
    } | more


def begun(browser: Browser, wanted: str = "") -> str:
    """Presses the button; the address of the provider that the page leads to."""
    form = {"csrf_token": browser.csrf_token(), "next": wanted}
    answer = browser.call("POST", START, data=form)
    assert answer.status_code == 200, answer.text
    links = re.findall(r'(?:content="0; url=|href=")(http[^"]+)"', answer.text)
    assert len(links) == 2 and links[0] == links[1], answer.text
    return unescape(links[0])


def approved(address: str) -> str:
    """The provider's answer: our callback's path and query."""
    answer = requests.get(address, allow_redirects=False, timeout=10)
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def signed_in(federated: Site, wanted: str = "") -> tuple[Browser, requests.Response]:
    """The whole way."""
    browser = federated.browser()
    return browser, browser.get(approved(begun(browser, wanted)))


def refused(federated: Site, answer: requests.Response, browser: Browser, status: int) -> Any:
    """The form again, nobody signed in, and the reason on record."""
    assert answer.status_code == status, answer.text
    assert 'id="sign-in"' in answer.text
    assert browser.get("/main").status_code == 302
    row = federated.audit("login.oidc.refused")[-1]
    assert (row.request_id, row.status) == (answer.headers["X-Request-ID"], status)
    return row


def account(site: Site, email: str) -> Any:
    sql = text('SELECT * FROM support."user" WHERE email = :email')
    with site.engine.connect() as connection:
        return connection.execute(sql, {"email": email}).one_or_none()


def test_without_settings_there_is_no_such_door(site: Site) -> None:
    page = site.get("/login")
    assert "sign-in-service" not in page.text
    assert policy_of(page)["form-action"] == "'self'"
    assert site.call("POST", START).status_code in (302, 400, 404, 405)
    assert site.get(BACK).status_code == 302


def test_the_button_and_the_policy(federated: Site) -> None:
    page = federated.get("/login")
    assert 'id="sign-in-service"' in page.text
    assert policy_of(page)["form-action"] == "'self'"


def test_a_first_login_makes_the_account(federated: Site) -> None:
    browser, answer = signed_in(federated, "/materials?uf=SP")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/materials?uf=SP")
    assert browser.get("/main").status_code == 200
    me = browser.get("/api/v1/auth/me").json()["data"]
    assert (me["email"], me["name"], me["role"]) == ("ana@corp.test", "Ana", "ANALYST")
    created = [row for row in federated.audit("user.create") if row.object == "user:ana@corp.test"]
    assert len(created) == 1
    login = federated.audit("login.oidc")[-1]
    assert (login.actor, login.status) == ("ana@corp.test", 200)


def test_the_groups_of_each_login_decide_the_role(federated: Site, provider: Provider) -> None:
    provider.person = person("bia", groups=["telecom-admins", "cn=readers", "others"])
    first, _ = signed_in(federated)
    assert account(federated, "bia@corp.test").role == "ADMIN"
    provider.person = person("bia", groups=["cn=readers"])
    second, _ = signed_in(federated)
    assert account(federated, "bia@corp.test").role == "VIEWER"
    assert second.get("/main").status_code == 200
    assert {first.get("/main").status_code for _ in range(8)} == {302}, "the old role's session"


def test_the_subject_is_known_under_another_address(federated: Site, provider: Provider) -> None:
    provider.person = person("caio", groups=["cn=readers"])
    signed_in(federated)
    provider.person |= {"email": "caio.new@corp.test", "groups": ["telecom-analysts"]}
    browser, answer = signed_in(federated)
    changed = federated.audit("user.set_role")[-1]
    assert (changed.object, changed.actor) == ("user:caio@corp.test", "caio@corp.test")
    assert answer.status_code == 303
    assert browser.get("/api/v1/auth/me").json()["data"]["email"] == "caio@corp.test"
    assert account(federated, "caio.new@corp.test") is None


def test_a_verified_address_finds_the_local_account(federated: Site, provider: Provider) -> None:
    federated.add_user("dora@corp.test", Role.ANALYST)
    provider.person = person("dora", groups=["telecom-analysts"], email="DORA@corp.test")
    browser, _ = signed_in(federated)
    number = browser.get("/api/v1/auth/me").json()["data"]["id"]
    assert number == account(federated, "dora@corp.test").user_id
    local = federated.browser()
    assert local.sign_in("dora@corp.test", PASSWORD).status_code == 303, "the form still works"


def test_an_account_made_in_advance_asks_for_no_password(
    federated: Site, provider: Provider
) -> None:
    federated.add_user("gil@corp.test", Role.ANALYST, must_change_password=True)
    provider.person = person("gil", groups=["telecom-analysts"])
    browser, _ = signed_in(federated)
    assert browser.get("/main").status_code == 200
    assert not account(federated, "gil@corp.test").must_change_password
    changed = federated.audit("user.set_password")[-1]
    assert (changed.object, changed.actor) == ("user:gil@corp.test", "gil@corp.test")
    assert federated.browser().sign_in("gil@corp.test", PASSWORD).status_code == 401


def test_an_address_that_moved_on_brings_nobody_in(federated: Site, provider: Provider) -> None:
    provider.person = person("eva", groups=["cn=readers"])
    signed_in(federated)
    provider.person = person("eva", sub="sub-somebody-else", groups=["telecom-admins"])
    browser, answer = signed_in(federated)
    refused(federated, answer, browser, 403)
    assert account(federated, "eva@corp.test").role == "VIEWER"


def test_who_is_made_anew_at_the_service_comes_in_once_unlinked(
    federated: Site, provider: Provider
) -> None:
    provider.person = person("iva", groups=["cn=readers"])
    before, _ = signed_in(federated)
    provider.person = person("iva", sub="sub-iva-anew", groups=["cn=readers"])
    assert signed_in(federated)[1].status_code == 403
    subjects.unlink(federated.engine, "IVA@corp.test", actor=users.Actor())
    after, answer = signed_in(federated)
    assert answer.status_code == 303 and after.get("/main").status_code == 200
    assert before.get("/main").status_code == 302, "unlinking ends sessions"
    row = federated.audit("user.unlink")[-1]
    assert (row.object, row.before["subject"]) == ("user:iva@corp.test", "sub-iva")
    provider.person = person("iva", groups=["cn=readers"])
    assert signed_in(federated)[1].status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {"groups": []},
        {"groups": ["strangers", "TELECOM-ADMINS", "telecom-admins "]},
        {"groups": ["cn=readers"], "email_verified": False},
        {"groups": ["cn=readers"], "email_verified": "true"},
        {"groups": ["cn=readers"], "email": None},
        {"groups": ["cn=readers"], "email": "no address"},
        {"groups": ["cn=readers"], "email": "stranger\u202e@corp.test"},
    ],
    ids=str,
)
def test_who_has_no_group_or_no_address_is_refused(
    federated: Site, provider: Provider, more: dict[str, Any]
) -> None:
    provider.person = person("stranger", **more)
    browser, answer = signed_in(federated)
    refused(federated, answer, browser, 403)
    assert account(federated, "stranger@corp.test") is None


def test_a_disabled_account_stays_outside(federated: Site, provider: Provider) -> None:
    provider.person = person("fred", groups=["cn=readers"])
    signed_in(federated)
    users.set_active(federated.engine, email="fred@corp.test", active=False, actor=users.Actor())
    provider.person = person("fred", groups=["telecom-admins"])
    browser, answer = signed_in(federated)
    refused(federated, answer, browser, 403)
    assert account(federated, "fred@corp.test").role == "VIEWER"


def unsigned(provider: Provider, claims: dict[str, Any]) -> str:
    token = provider.signed(claims)
    head = encoded(b'{"alg":"none"}')
    return f"{head}.{token.split('.')[1]}."


def by_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    """HS256 with what everybody can read: the classic confusion of algorithms."""
    secret = encoded(str(provider.jwks()).encode())
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "k1"})


def with_own_key(provider: Provider, claims: dict[str, Any]) -> str:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(provider.other_key.public_key(), as_dict=True)
    head = {"kid": "k1", "jwk": public, "jku": f"{provider.url}/evil"}
    return provider.signed(claims, key=provider.other_key, headers=head)


SIGNATURES: dict[str, Callable[[Provider, dict[str, Any]], str]] = {
    "alg none": unsigned,
    "HS256": by_public_key,
    "a foreign key": lambda one, claims: one.signed(claims, key=one.other_key),
    "a key of its own": with_own_key,
    "an unknown kid": lambda one, claims: one.signed(
        claims, key=one.other_key, headers={"kid": "k2"}
    ),
    "our secret": lambda one, claims: jwt.encode(claims, CLIENT_SECRET * 4, algorithm="HS256"),
    "no token": lambda one, claims: "",
    "no JWT": lambda one, claims: "a.b.c",
    "cut short": lambda one, claims: one.signed(claims)[:-8],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_token_that_is_not_signed_by_the_service_is_refused(
    federated: Site, provider: Provider, name: str
) -> None:
    provider.sign = SIGNATURES[name]
    browser, answer = signed_in(federated)
    refused(federated, answer, browser, 401)


CLAIMS: list[dict[str, Any]] = [
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "another-client"},
    {"aud": "another-client", "azp": CLIENT_ID},
    {"aud": ["another-client"]},
    {"aud": None},
    {"azp": "another-client"},
    {"iss": "https://evil.example"},
    {"iss": None},
    {"exp": int(time.time()) - 3600},
    {"exp": None},
    {"exp": "never"},
    {"iat": int(time.time()) + 7200},
    {"nbf": int(time.time()) + 7200},
    {"sub": None},
    {"sub": ["sub-ana"]},
    {"sub": {"a": 1}},
    {"groups": "telecom-admins"},
    {"groups": {"telecom-admins": True}},
    {"groups": [["telecom-admins"]]},
]


@pytest.mark.parametrize("lie", CLAIMS)
def test_a_token_with_a_wrong_claim_is_refused(
    federated: Site, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.claims = lambda claims: {
        name: value for name, value in (claims | lie).items() if value is not None
    }
    browser, answer = signed_in(federated)
    refused(federated, answer, browser, 401)


def test_a_state_is_good_once_and_for_its_own_browser(federated: Site, provider: Provider) -> None:
    victim, attacker = federated.browser(), federated.browser()
    refused(federated, victim.get(approved(begun(attacker))), victim, 401)
    back = approved(begun(attacker))
    kept = "; ".join(f"{name}={value}" for name, value in attacker.jar.cookies.items())
    assert attacker.get(back).status_code == 303
    again = federated.browser()
    refused(federated, again.get(back, headers={"Cookie": kept}), again, 401)
    fresh = federated.browser()
    begun(fresh)
    refused(federated, fresh.get(back), fresh, 401)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=x",
        "?state=x",
        "?code=x&state=x",
        "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E%0d%0aX: y",
        "?code=%00&state=%00",
        "?code[]=x&state=__proto__",
    ],
)
def test_a_made_up_callback_is_refused(federated: Site, query: str) -> None:
    browser = federated.browser()
    begun(browser)
    answer = browser.get(f"{BACK}{query}")
    refused(federated, answer, browser, 401)
    assert "<script>alert" not in answer.text


def test_a_code_of_somebody_else_fails_its_challenge(federated: Site, provider: Provider) -> None:
    thief, owner = federated.browser(), federated.browser()
    stolen = parse_qs(urlsplit(approved(begun(owner))).query)["code"][0]
    own = parse_qs(urlsplit(approved(begun(thief))).query)["state"][0]
    answer = thief.get(BACK, params={"code": stolen, "state": own})
    refused(federated, answer, thief, 401)
    assert provider.refusals == ["challenge"]


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_way_back_stays_on_this_site(federated: Site, wanted: str) -> None:
    assert signed_in(federated, wanted)[1].headers["Location"] == "/main"


def test_the_session_is_a_new_one(federated: Site) -> None:
    browser = federated.browser()
    address = begun(browser)
    before = dict(browser.jar.cookies)
    browser.get(approved(address))
    assert dict(browser.jar.cookies) != before
    kept = "; ".join(f"{name}={value}" for name, value in before.items())
    assert federated.get("/main", headers={"Cookie": kept}).status_code == 302


def test_another_site_cannot_start_it(federated: Site) -> None:
    browser = federated.browser()
    assert browser.call("POST", START).status_code == 400
    form = {"csrf_token": browser.csrf_token()}
    foreign = {"Origin": "https://evil.example"}
    assert browser.call("POST", START, data=form, headers=foreign).status_code == 400


def test_no_secret_of_the_exchange_is_logged(federated: Site, home: Any) -> None:
    browser = federated.browser()
    back = approved(begun(browser))
    assert browser.get(back).status_code == 303
    log = (home / f"server-{federated.url.rpartition(':')[2]}.log").read_text()
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert BACK in log and code not in log and CLIENT_SECRET not in log


def test_without_the_service_the_form_still_opens(
    site: Site, provider: Provider, start_server: StartServer
) -> None:
    settings = settings_for(provider, GROUPS) | {"NOVA_OIDC_ISSUER": "http://127.0.0.1:1"}
    database = site.engine.url.render_as_string(hide_password=False)
    down = Site(start_server(database, **settings), site.engine)
    browser = down.browser()
    answer = browser.call("POST", START, data={"csrf_token": browser.csrf_token()})
    refused(down, answer, browser, 503)
    down.add_user("glass@nova.test")
    assert browser.sign_in("glass@nova.test", PASSWORD).status_code == 303


def test_an_issuer_that_calls_itself_otherwise_is_not_asked(
    site: Site, provider: Provider, start_server: StartServer
) -> None:
    provider.issuer = "https://evil.example"
    database = site.engine.url.render_as_string(hide_password=False)
    mixed = Site(start_server(database, **settings_for(provider, GROUPS)), site.engine)
    browser = mixed.browser()
    answer = browser.call("POST", START, data={"csrf_token": browser.csrf_token()})
    refused(mixed, answer, browser, 503)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"NOVA_OIDC_ISSUER": "https://a.example"}, "NOVA_OIDC_CLIENT_ID"),
        ({"NOVA_OIDC_ISSUER": "ldap://a"}, "NOVA_OIDC_ISSUER"),
        ({"NOVA_OIDC_GROUPS": "admins=ROOT"}, "NOVA_OIDC_GROUPS"),
        ({"NOVA_OIDC_GROUPS": "=ADMIN"}, "NOVA_OIDC_GROUPS"),
        (
            {
                "NOVA_OIDC_ISSUER": "http://a.example",
                "NOVA_OIDC_CLIENT_ID": "x",
                "NOVA_OIDC_CLIENT_SECRET": "y",
                "NOVA_OIDC_GROUPS": "a=ADMIN",
            },
            "NOVA_OIDC_ISSUER with https://",
        ),
    ],
)
def test_half_a_service_is_refused_at_the_start(values: dict[str, str], name: str) -> None:
    done = started(["-c", "import config; config.get_settings()"], COMPLETE | values)
    assert done.returncode == 1 and name in done.stderr
    assert len(done.stderr.splitlines()) == 1
