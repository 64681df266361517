"""Cache, CSRF, limits on attempts: made here, bound in app.py.

The cache and the counters live in Redis (or the embedded Valkey), else in files under NOVA_HOME
and in memory. A store that does not answer is given up after 100 ms and never fails a request.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from flask_caching import Cache
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter, RateLimiter
from limits.util import WindowStats
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from auth.session import data_version, signed_in
from config import Settings
from dashboard import tracing
from warehouse import caching

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

ANSWER_SECONDS = 0.1
DEFAULT_TTL = 300
FILES_AT_MOST = 20_000
FAILURES_PER_ADDRESS = "60 per minute"
FAILURES_PER_ACCOUNT = "10 per 5 minutes"
LOGIN_ENDPOINTS = ("auth.login", "api.auth_login", "account.change_password")
LINK_ENDPOINTS = ("account.reset_page", "account.reset")

csrf = CSRFProtect()
log = logging.getLogger(__name__)


class PlainBytes:
    """Values go to Redis as they are: what comes back from a shared store is never unpickled."""

    def dumps(self, value: bytes) -> bytes:
        """The bytes to keep."""
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        """The bytes that were kept."""
        return value


def store_url(settings: Settings) -> str | None:
    """Where cache and counters live: REDIS_URL, else the embedded Valkey, else None."""
    if settings.redis_url:
        return settings.redis_url
    from warehouse.embedded import ensure_valkey

    return ensure_valkey(settings.home)


def bind(server: Flask, settings: Settings, tracer: Tracer | None = None) -> None:
    """Binds the cache and CSRF."""
    bind_cache(server, settings, tracer)
    server.before_request(lambda: caching.begin_reading(data_version))
    server.teardown_request(caching.end_reading)
    csrf.init_app(server)


def bind_cache(server: Flask, settings: Settings, tracer: Tracer | None = None) -> None:
    """Binds the cache, which serves the read models, and by which processes tell each other that
    they have written."""
    url = store_url(settings)
    server.config["STORE_URL"] = url
    server.extensions["nova-cache"] = cache = Cache()
    cache.init_app(server, config=_cache_config(settings, url))
    with server.app_context():
        backend: Any = cache.cache
    if url is not None:
        backend.serializer = PlainBytes()
    caching.use(tracing.traced(backend, tracer))


def limit_logins(server: Flask) -> None:
    """Wrong passwords are counted by address and by account, for the login form, the API and the
    form that changes a password together; wrong one-time links by address."""
    limiter = _limiter(server, server.config["STORE_URL"])
    for endpoint in LOGIN_ENDPOINTS:
        view: Any = server.view_functions[endpoint]
        for limit, key in (
            (FAILURES_PER_ADDRESS, _address),
            (FAILURES_PER_ACCOUNT, _account),
        ):
            view = limiter.shared_limit(
                limit, scope="login", key_func=key, deduct_when=_is_refused
            )(view)
        server.view_functions[endpoint] = view
    for endpoint in LINK_ENDPOINTS:
        view = server.view_functions[endpoint]
        server.view_functions[endpoint] = limiter.shared_limit(
            FAILURES_PER_ADDRESS, scope="link", key_func=_address, deduct_when=_is_refused
        )(view)


class Counting(FixedWindowRateLimiter):
    """Counts in the store and, what the store does not take, in `own`; what stands in either counts
    against a limit."""

    def __init__(self, storage: Storage, own: RateLimiter) -> None:
        super().__init__(storage)
        self._own, self._is_told = own, False

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Counts; false where that is more than the limit. A store that can be read but not written
        is told once in the log."""
        try:
            is_within = super().hit(item, *identifiers, cost=cost)
        except RedisError as error:
            if not self._is_told:
                log.warning("wrong passwords are counted by each process alone: %s", error)
            self._is_told = True
            return self._own.hit(item, *identifiers, cost=cost)
        self._is_told = False
        return is_within

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """True while neither has reached the limit."""
        is_within = self._own.test(item, *identifiers, cost=cost)
        return is_within and super().test(item, *identifiers, cost=cost)

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """When the one that is nearer to the limit begins anew, and what it has left."""
        own = self._own.get_window_stats(item, *identifiers)
        stored = super().get_window_stats(item, *identifiers)
        return min(own, stored, key=lambda one: one.remaining)


class ViewLimiter(Limiter):
    """Limits of single views, which check them themselves: other requests have none. What a store
    that fails does not count is counted in memory."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        assert self._fallback_limiter is not None
        self._limiter = Counting(self.storage, self._fallback_limiter)

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def _limiter(server: Flask, url: str | None) -> Limiter:
    return ViewLimiter(
        _address,
        app=server,
        storage_uri=_limits_url(url),
        storage_options=_redis_options() if url else {},
        in_memory_fallback_enabled=True,
        key_prefix="nova",
    )


def _redis_options() -> dict[str, Any]:
    return {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def _cache_config(settings: Settings, url: str | None) -> dict[str, Any]:
    common = {"CACHE_DEFAULT_TIMEOUT": DEFAULT_TTL, "CACHE_NO_NULL_WARNING": True}
    if url is None:
        folder = str(settings.home / "cache")
        files = {"CACHE_DIR": folder, "CACHE_THRESHOLD": FILES_AT_MOST}
        return {**common, **files, "CACHE_TYPE": "FileSystemCache"}
    return {
        **common,
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": url,
        "CACHE_KEY_PREFIX": "nova-cache:",
        "CACHE_OPTIONS": _redis_options(),
    }


def _limits_url(url: str | None) -> str:
    if url is None:
        return "memory://"
    return f"redis+{url}" if url.startswith("unix://") else url


def _address() -> str:
    return request.remote_addr or "unknown"


def _account() -> str:
    email: object
    if request.endpoint == "account.change_password":
        row = signed_in()
        email = row.email if row else None
    elif request.is_json:
        body = request.get_json(silent=True)
        email = body.get("email") if isinstance(body, dict) else None
    else:
        email = request.form.get("email")
    return hashlib.sha256(str(email or "").strip().lower().encode(errors="replace")).hexdigest()


def _is_refused(response: Response) -> bool:
    return response.status_code in (401, 404)
