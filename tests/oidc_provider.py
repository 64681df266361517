"""A small OpenID Connect provider: discovery, keys, authorization code with PKCE, ID tokens.

It is strict about what it is asked, and can be told to answer wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.local_http import Handler, Server, answering

CLIENT_ID, CLIENT_SECRET = "nova-corrente", "a secret:of/ours"
LIFE = 300

Trick = Callable[[dict[str, Any]], dict[str, Any]]


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Provider:
    """One provider; `person` is who signs in, `claims` and `sign` are where it may lie. People sign
    in at `door`, an origin of its own."""

    url: str = ""
    door: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: Trick = lambda claims: claims
    sign: Callable[[Provider, dict[str, Any]], str] = lambda provider, claims: provider.signed(
        claims
    )
    issuer: str | None = None
    key: rsa.RSAPrivateKey = field(default_factory=_key)
    other_key: rsa.RSAPrivateKey = field(default_factory=_key)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def be_honest(self) -> None:
        """Answers rightly from now on."""
        self.claims = lambda claims: claims
        self.sign = lambda provider, claims: provider.signed(claims)
        self.issuer = None

    def signed(self, claims: dict[str, Any], **more: Any) -> str:
        options: dict[str, Any] = {"key": self.key, "headers": {"kid": "k1"}}
        return jwt.encode(claims, algorithm="RS256", **options | more)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.door}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "scopes_supported": ["openid", "email", "profile", "groups"],
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        }

    def jwks(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "k1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent with a code."""
        assert asked["client_id"] == CLIENT_ID and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256" and asked["state"] and asked["nonce"]
        assert {"openid", "email", "groups"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{query}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The tokens for a code; None (and a line in `refusals`) where something is wrong."""
        asked = self.codes.pop(form.get("code", ""), None)
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = given.partition(":")
        challenge = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None:
            self.refusals.append("code")
            return None
        if (unquote(client), unquote(secret)) != (CLIENT_ID, CLIENT_SECRET):
            self.refusals.append("client")
            return None
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            self.refusals.append("challenge")
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + LIFE,
            "nonce": asked["nonce"],
        } | self.person
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": LIFE,
            "id_token": self.sign(self, self.claims(claims)),
        }


def _handler(provider: Provider) -> type[Handler]:
    class Asked(Handler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                asked = {name: value[0] for name, value in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            elif parts.path == "/jwks":
                self._json(200, provider.jwks())
            else:
                self._json(200, provider.discovery())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: value[0] for name, value in parse_qs(body).items()}
            tokens = provider.token(form, self.headers.get("Authorization", ""))
            self._json(200 if tokens else 400, tokens or {"error": "invalid_grant"})

        def _json(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Asked


@contextmanager
def provided() -> Iterator[Provider]:
    """A provider that answers on two free ports until the block ends."""
    provider = Provider()
    handler = _handler(provider)
    with answering(Server(handler)) as server, answering(Server(handler)) as door:
        provider.url, provider.door = server.url, door.url
        yield provider


def settings_for(provider: Provider, groups: str) -> dict[str, str]:
    """The environment that names it as the sign-in service."""
    return {
        "NOVA_OIDC_ISSUER": provider.url,
        "NOVA_OIDC_CLIENT_ID": CLIENT_ID,
        "NOVA_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "NOVA_OIDC_GROUPS": groups,
    }
