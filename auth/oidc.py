"""Signing in by the organisation's OpenID Connect service, beside e-mail and password.

Authorization code with PKCE, state and nonce. The signature (public-key algorithms alone), issuer,
audience and expiry of the ID token are checked; its groups decide the role at every login. The
password form stays: it is the way in when the service is out of order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from redis import RedisError
from requests import RequestException

from auth import passwords, session, trail
from auth.guards import current_viewer, public
from auth.routes import destination, form, shown
from config import Settings, listed
from domain.access import Role
from domain.errors import InvalidInput, NotAllowed, NovaError
from domain.viewer import Translator
from warehouse.commands import subjects
from warehouse.commands import users as commands
from warehouse.db import get_engine
from warehouse.queries import users
from warehouse.queries.users import UserRow

EXTENSION = "nova-oidc"
CACHE = "nova-cache"
NEXT = "oidc_next"
ACTION = "login.oidc"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
SECONDS, LEEWAY = 5, 30
HIGHEST_FIRST = (Role.ADMIN, Role.ANALYST, Role.VIEWER)
MAX_TEXT = 255
UNREADABLE = re.compile(r"[^\x20-\x7e\xa0-\u024f]+")
FAILURES = (
    *(OAuthError, JoseError, RequestException, RedisError),
    *(RuntimeError, ValueError, KeyError, TypeError),
)
"""What the libraries raise where the service does not answer, or answers what is not so."""


blueprint = Blueprint("oidc", __name__)


@dataclass(frozen=True)
class Service:
    """The sign-in service as the settings name it; `roles` are those of its groups."""

    issuer: str
    client: Any
    roles: dict[str, Role]


@dataclass(frozen=True)
class Person:
    """Whom the service vouches for. `email` is the account's where its subject is known, else the
    service's, empty unless it has verified it."""

    subject: str
    email: str
    name: str
    role: Role


def init_app(server: Flask, settings: Settings) -> None:
    """Opens the doors of the service, where one is configured."""
    if settings.oidc_issuer is None:
        return
    issuer = settings.oidc_issuer
    client = OAuth(server, cache=server.extensions[CACHE]).register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={"code_challenge_method": "S256", "default_timeout": SECONDS},
    )
    pairs = (pair.rpartition("=") for pair in listed(settings.oidc_groups))
    roles = {group.strip(): Role(role) for group, _, role in pairs}
    server.extensions[EXTENSION] = Service(issuer, client, roles)
    server.register_blueprint(blueprint)


@blueprint.post("/login/oidc")
@public
def start() -> ResponseReturnValue:
    """Off to the service, with a state, a nonce and a challenge of this attempt alone: by a page
    that leads there, since our policy for forms, which no redirect of one may leave, would have to
    name every origin on the way."""
    service = _service()
    cookie[NEXT] = request.form.get("next", "")[:MAX_TEXT]
    try:
        known = _metadata(service)
        back = url_for("oidc.callback", _external=True)
        address = service.client.authorize_redirect(back, scope=_scope(known)).location
    except FAILURES as error:
        return _failed(f"the service cannot be asked: {error}", 503)
    viewer = current_viewer()
    page = render_template("leading_on.html", viewer=viewer, t=viewer.t, address=address)
    return page, {"Cache-Control": "no-store"}


@blueprint.get("/login/oidc/callback")
@public
def callback() -> ResponseReturnValue:
    """Back from the service: a session for whoever it vouches for, if a group gives them a role."""
    service, wanted = _service(), cookie.get(NEXT)
    try:
        _metadata(service)
        person = _person(service, _claims(service))
    except NotAllowed as error:
        return _failed(str(error), 403)
    except FAILURES as error:
        return _failed(f"not vouched for: {error}", 401)
    try:
        known = users.by_subject(issuer=service.issuer, subject=person.subject)
        person = replace(person, email=known.email) if known else person
        row = _account(service, person, known)
    except NovaError as error:
        return _failed(str(error), 403, person)
    if not row.active:
        return _failed("the account is disabled", 403, person)
    session.begin(row)
    actor = session.request_actor(row.email, row.role)
    commands.record_login(get_engine(), user_id=row.user_id, actor=actor, action=ACTION)
    return redirect(destination(wanted), 303)


def _service() -> Service:
    return current_app.extensions[EXTENSION]  # type: ignore[no-any-return]


def _metadata(service: Service) -> dict[str, Any]:
    """What the service says of itself. Raises ValueError if it is somebody else."""
    known: dict[str, Any] = service.client.load_server_metadata()
    if known.get("issuer") != service.issuer:
        raise ValueError(f"the issuer calls itself {known.get('issuer')!r}")
    known["id_token_signing_alg_values_supported"] = list(ALGORITHMS)
    return known


def _scope(known: dict[str, Any]) -> str:
    asks = "groups" in (known.get("scopes_supported") or ())
    return "openid email profile groups" if asks else "openid email profile"


def _claims(service: Service) -> dict[str, Any]:
    """The checked ID token. Raises one of FAILURES."""
    options = {
        "iss": {"essential": True, "value": service.issuer},
        "aud": {"essential": True, "value": service.client.client_id},
        "exp": {"essential": True},
        "nonce": {"essential": True},
        "sub": {"essential": True},
    }
    token = service.client.authorize_access_token(claims_options=options, leeway=LEEWAY)
    if not token.get("userinfo"):
        raise ValueError("there is no ID token")
    return dict(token["userinfo"])


def _person(service: Service, claims: dict[str, Any]) -> Person:
    """Raises ValueError for claims of another kind, NotAllowed where no group gives a role."""
    subject, groups = claims["sub"], claims.get("groups", [])
    if not isinstance(subject, str) or not isinstance(groups, list):
        raise ValueError("sub and groups must be a text and a list")
    held = {service.roles[group] for group in groups if group in service.roles}
    role = next((role for role in HIGHEST_FIRST if role in held), None)
    if role is None:
        raise NotAllowed(f"no group of {subject[:MAX_TEXT]!r} gives a role")
    email = str(claims.get("email") or "") if claims.get("email_verified") is True else ""
    return Person(subject, email, str(claims.get("name") or email.partition("@")[0]), role)


def _account(service: Service, person: Person, known: UserRow | None) -> UserRow:
    """The person's account: `known` by subject, else by verified e-mail, else made now; its role is
    what the groups say. A first password that its owner never changed, and may never have got, is
    replaced by one that nobody knows. Raises NovaError."""
    engine, actor = get_engine(), session.request_actor(person.email or person.subject)
    row = known
    if row is None:
        row = _by_email(person) or _made(person, actor)
        given = {"issuer": service.issuer, "subject": person.subject}
        subjects.link(engine, row, **given, actor=actor)
    if row.active and row.must_change_password:
        row = commands.set_password(
            engine, email=row.user_id, password_hash=_unknown_password(), actor=actor
        )
    if row.active and row.role != person.role:
        row = commands.change(engine, row.user_id, commands.Changes(role=person.role), actor=actor)
    return row


def _by_email(person: Person) -> UserRow | None:
    if not person.email:
        raise InvalidInput("the service has not verified an e-mail address")
    return users.by_email(person.email)


def _made(person: Person, actor: commands.Actor) -> UserRow:
    """A new account with a password that nobody knows."""
    made = commands.create(
        get_engine(),
        email=person.email,
        name=person.name[: commands.NAME_LENGTH],
        role=person.role,
        password_hash=_unknown_password(),
        actor=actor,
    )
    return users.known(made)


def _unknown_password() -> str:
    """The hash of a password that nobody knows."""
    return passwords.hash_password(passwords.generated())


def _failed(reason: str, code: int, person: Person | None = None) -> ResponseReturnValue:
    """The form again; the audit log alone says why."""
    cookie.pop(NEXT, None)
    who = shown(person.email or person.subject) if person else None
    after = {"reason": UNREADABLE.sub(" ", reason)[:MAX_TEXT]}
    trail.note(f"{ACTION}.refused", actor=who, status=code, after=after)
    return form(_message(code, current_viewer().t), code)


def _message(code: int, t: Translator) -> str:
    if code == 503:
        return t("The sign-in service does not answer. Use e-mail and password.")
    if code == 403:
        return t("Your organisation's account opens nothing here. Ask an administrator.")
    return t("The sign-in service did not confirm who you are. Try again.")
