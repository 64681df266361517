"""Headers on everything that is answered, who may call from elsewhere, and what production asks."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests import services
from tests.conftest import StartServer
from tests.web.conftest import PASSWORD, VIEWER, Site, log_of
from warehouse import embedded

HERE, ELSEWHERE = "https://app.example.com", "https://evil.example"
POLICY = {
    "default-src": "'none'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ANSWERS: list[tuple[str, str, int]] = [
    ("GET", "/", 302),
    ("GET", "/main", 302),
    ("GET", "/login", 200),
    ("POST", "/login", 400),
    ("PUT", "/login", 405),
    ("OPTIONS", "/login", 200),
    ("HEAD", "/login", 200),
    ("GET", "/assets/nova.css", 200),
    ("GET", "/assets/none.css", 404),
    ("GET", "/login-assets/login.css", 200),
    ("GET", "/_dash-component-suites/none/none.js", 404),
    ("GET", "/_dash-layout", 401),
    ("GET", "/health", 200),
    ("GET", "/api/v1/docs", 200),
    ("GET", "/api/v1/static/docs.css", 200),
    ("GET", "/api/v1/kpis", 401),
    ("DELETE", "/api/v1/kpis", 405),
    ("GET", "/api/none", 404),
]
GOOD_KEY = secrets.token_hex(32)
COMPLETE = {
    "NOVA_ENV": "production",
    "SECRET_KEY": GOOD_KEY,
    "DATABASE_URL": "postgresql://nova:x@127.0.0.1:1/nova",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
WEAK: list[tuple[dict[str, str], str]] = [
    ({"SECRET_KEY": ""}, "SECRET_KEY"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY"),
    ({"SECRET_KEY": "changeme" * 8}, "SECRET_KEY"),
    ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
    ({"DATABASE_URL": ""}, "DATABASE_URL"),
    ({"DATABASE_URL": "mysql://db/nova"}, "DATABASE_URL"),
    ({"REDIS_URL": ""}, "REDIS_URL"),
    ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
    ({"NOVA_ADMIN_PASSWORD": "admin"}, "NOVA_ADMIN_PASSWORD"),
    ({"NOVA_ADMIN_PASSWORD": "Password-2026"}, "NOVA_ADMIN_PASSWORD"),
    ({"NOVA_ADMIN_PASSWORD": "aaaabbbbaaaabbbb"}, "NOVA_ADMIN_PASSWORD"),
    ({"NOVA_CORS_ORIGINS": "*"}, "NOVA_CORS_ORIGINS"),
    ({"NOVA_CORS_ORIGINS": "http://app.example.com"}, "NOVA_CORS_ORIGINS"),
    ({"NOVA_HOSTS": "nova.example.com/x"}, "NOVA_HOSTS"),
    ({"NOVA_PROXY_HOPS": "-1"}, "NOVA_PROXY_HOPS"),
]


def policy_of(answer: requests.Response) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_carries_the_headers(site: Site, method: str, path: str, status: int) -> None:
    answer = site.call(method, path)
    assert answer.status_code == status
    policy = policy_of(answer)
    scripts = policy.pop("script-src").split()
    assert policy == POLICY
    assert scripts[0] == "'self'" and all(one.startswith("'sha256-") for one in scripts[1:])
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Server" not in headers and "X-Powered-By" not in headers
    assert "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_a_forwarding_header_alone_changes_nothing(site: Site) -> None:
    forged = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
        "Script-Name": "/evil",
        "X-Forwarded-Prefix": "/evil",
    }
    answer = site.get("/main", headers=forged)
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["Location"] == "/login?next=/main"
    site.get("/api/v1/kpis", headers=forged)
    assert site.audit("api.kpis_listed")[-1].address == "127.0.0.1"


def test_failures_are_counted_by_the_real_address(site: Site) -> None:
    body = {"email": "spoofed@nova.test", "password": "wrong-password"}
    codes = [
        site.call(
            "POST",
            "/api/v1/auth/login",
            json=body,
            headers={"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"10.0.0.{number}"},
        ).status_code
        for number in range(11)
    ]
    assert codes == [401] * 10 + [429]


@pytest.fixture(scope="module")
def public(site: Site, start_server: StartServer) -> Site:
    """The product as production serves it: behind one proxy, under its name, with a friend."""
    url = start_server(
        site.engine.url.render_as_string(hide_password=False),
        NOVA_ENV="production",
        SECRET_KEY=GOOD_KEY,
        NOVA_PROXY_HOPS="1",
        NOVA_HOSTS=".nova.example.com,127.0.0.1",
        NOVA_CORS_ORIGINS=f"{HERE}, https://other.example.com:8443",
    )
    return Site(url, site.engine)


def test_behind_a_proxy_the_last_hop_counts(public: Site) -> None:
    through = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    answer = public.get("/api/v1/kpis", headers=through)
    assert public.audit("api.kpis_listed")[-1].address == "198.51.100.7"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    plain = public.get("/api/v1/kpis")
    assert "Strict-Transport-Security" not in plain.headers


def test_the_session_cookie_of_production_belongs_to_this_host_alone(public: Site) -> None:
    page = public.get("/login", headers={"X-Forwarded-Proto": "https"})
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-nova=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    document = public.get("/api/v1/openapi.json").json()
    assert document["components"]["securitySchemes"]["session"]["name"] == "__Host-nova"


@pytest.mark.parametrize("host", ["evil.example", "nova.example.com.evil.example", "127.0.0.1@e"])
def test_another_host_name_is_refused(public: Site, host: str) -> None:
    for path in ("/login", "/main", "/api/v1/kpis", "/health/", "/assets/nova.css"):
        answer = public.get(path, headers={"Host": host})
        assert answer.status_code == 400, answer.text
        assert set(answer.json()) == {"error"}
        assert "Content-Security-Policy" in answer.headers
    assert public.get("/login", headers={"Host": "nova.example.com"}).status_code == 200


def test_a_link_to_another_host_name_is_kept_nowhere(public: Site, home: Path) -> None:
    answer = public.get("/reset/A-SECRET", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert public.audit("refused")[-1].object == "GET /reset/<secret>"
    log = log_of(public, home).read_text()
    assert '"/reset/<secret>"' in log and "A-SECRET" not in log


@pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/metrics"])
def test_what_is_probed_may_be_asked_by_address(public: Site, path: str) -> None:
    assert public.get(path, headers={"Host": "10.0.0.5:8050"}).status_code == 200


def test_a_request_without_a_host_is_answered(site: Site, public: Site) -> None:
    for one in (site, public):
        place = urlsplit(one.url)
        with socket.create_connection((place.hostname, place.port)) as connection:
            request = "POST /login HTTP/1.0\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(request.encode())
            assert connection.recv(100).split()[1] == b"400"


def preflight(site: Site, path: str, origin: str, method: str = "PATCH") -> requests.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return site.call("OPTIONS", path, headers=headers)


def test_a_listed_origin_may_call_the_api_with_a_token(public: Site) -> None:
    for origin in (HERE, "https://other.example.com:8443"):
        asked = preflight(public, "/api/v1/alerts/1", origin)
        assert asked.status_code == 204
        assert asked.headers["Access-Control-Allow-Origin"] == origin
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
        assert "Origin" in asked.headers["Vary"]
    body = {"email": VIEWER, "password": PASSWORD}
    login = public.call("POST", "/api/v1/auth/login", json=body, headers={"Origin": HERE})
    assert login.status_code == 200
    assert login.headers["Access-Control-Allow-Origin"] == HERE
    bearer = {"Authorization": f"Bearer {login.json()['data']['access_token']}", "Origin": HERE}
    for path in ("/api/v1/kpis", "/api/v1/kpis?colour=red"):
        answer = public.get(path, headers=bearer)
        assert answer.headers["Access-Control-Allow-Origin"] == HERE
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/api/v1/kpis", ELSEWHERE),
        ("/api/v1/kpis", "null"),
        ("/api/v1/kpis", f"{HERE}.evil.example"),
        ("/api/v1/kpis", HERE.upper()),
        ("/main", HERE),
        ("/_dash-layout", HERE),
        ("/login", HERE),
    ],
)
def test_nobody_else_may(public: Site, path: str, origin: str) -> None:
    for answer in (
        preflight(public, path, origin),
        public.get(path, headers={"Origin": origin}),
        public.call("POST", path, headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    assert public.call("POST", path, headers={"Origin": origin}).status_code in (400, 401, 405)


def test_a_page_of_the_listed_origin_cannot_sign_in_by_form(public: Site) -> None:
    form = {"email": VIEWER, "password": PASSWORD}
    assert public.call("POST", "/login", data=form, headers={"Origin": HERE}).status_code == 400


def started(program: list[str], values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PORT": str(embedded.free_port())} | values
    return subprocess.run(
        [sys.executable, *program],
        cwd=services.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", [["-m", "gunicorn", "wsgi:server"], ["-c", "import wsgi"]])
def test_nothing_starts_half_configured(program: list[str]) -> None:
    values = COMPLETE | {"DATABASE_URL": "", "REDIS_URL": ""}
    done = started(program, values)
    assert done.returncode == 1
    line = "Settings: NOVA_ENV=production needs DATABASE_URL; REDIS_URL"
    assert [done.stdout, *done.stderr.splitlines()] == ["", line]


@pytest.mark.parametrize(("values", "name"), WEAK)
def test_production_refuses_what_is_weak(values: dict[str, str], name: str) -> None:
    done = started(["-c", "import config; config.get_settings()"], COMPLETE | values)
    assert done.returncode == 1
    lines: list[Any] = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Settings: ") and name in lines[0]
    for value in values.values():
        assert len(value) < 12 or "PASSWORD" not in name or value not in lines[0]
    assert started(["-c", "import config; config.get_settings()"], COMPLETE).returncode == 0
