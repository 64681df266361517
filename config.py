"""Settings from the environment, validated once at start.

Each field carries its environment variable, default and one line of help; `.env.example` and the
README's table are checked against this file by a test.
"""

from __future__ import annotations

import os
import re
import secrets
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EXAMPLE_SECRETS = ("changeme", "change-me", "secret", "example", "password")
WEAK_PASSWORDS = (*EXAMPLE_SECRETS, "admin", "12345", "qwerty", "letmein", "nova", "corrente")
SECRET_BYTES = 32
PASSWORD_LETTERS = 12
DIFFERENT_LETTERS = 8
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
ISSUER = re.compile(ORIGIN.pattern + r"(/[A-Za-z0-9._~/-]*)?")
ENDPOINT = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
TILES = re.compile(r"(https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?)/[A-Za-z0-9._~/{}@?=&-]*")
SCHEDULER = re.compile(r"(tcp|tls)://[A-Za-z0-9._-]+:[0-9]{1,5}")
ROLES = ("ADMIN", "ANALYST", "VIEWER")
REDIS = ("redis", "rediss", "unix")
HOST_NAME = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")


class SettingsError(SystemExit):
    """The environment holds a value that the program cannot run with.

    A SystemExit: where nobody catches it, the process ends with the line and without a trace.
    """


class Settings(BaseSettings):
    """What the environment says; raises `pydantic.ValidationError` naming the variable."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    host: str = Field("127.0.0.1", validation_alias="HOST", description="Address to serve on.")
    port: int = Field(8050, ge=1, le=65535, validation_alias="PORT", description="Port to serve.")
    home: Path = Field(
        Path(".nova"),
        validation_alias="NOVA_HOME",
        description="Everything kept: embedded database, sockets, secrets, bundles, logs.",
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="Postgres 14 or newer. Empty: the embedded one.",
    )
    database_owner_url: str | None = Field(
        None,
        validation_alias="DATABASE_OWNER_URL",
        description="Owner of the tables, for migrations and loads. Empty: DATABASE_URL.",
    )
    database_replica_url: str | None = Field(
        None,
        validation_alias="DATABASE_REPLICA_URL",
        description="Read replica; reads go there while it is healthy.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Cache and rate limits. Empty: embedded Valkey, else files.",
    )
    env: Literal["development", "production"] = Field(
        "development",
        validation_alias="NOVA_ENV",
        description="production refuses to start with missing or weak settings.",
    )
    secret_key_setting: str | None = Field(
        None,
        validation_alias="SECRET_KEY",
        description="Signs sessions and tokens, 32 bytes or more. Empty: made once in NOVA_HOME.",
    )
    admin_email: str = Field(
        "admin@localhost",
        validation_alias="NOVA_ADMIN_EMAIL",
        description="First administrator, created when there is no user.",
    )
    admin_password: str | None = Field(
        None,
        validation_alias="NOVA_ADMIN_PASSWORD",
        description="Password of the first administrator. Empty: made and printed once.",
    )
    session_idle_minutes: int = Field(
        60,
        ge=1,
        validation_alias="NOVA_SESSION_IDLE_MINUTES",
        description="A browser that rests longer must sign in again.",
    )
    session_hours: int = Field(
        12,
        ge=1,
        validation_alias="NOVA_SESSION_HOURS",
        description="A session ends after this long, however busy.",
    )
    audit_months: int = Field(
        24,
        ge=1,
        validation_alias="NOVA_AUDIT_MONTHS",
        description="Months that audit rows are kept by `flask audit retain`.",
    )
    staging_months: int = Field(
        6,
        ge=1,
        validation_alias="NOVA_STAGING_MONTHS",
        description="Months that refused rows are kept by `flask staging retain`.",
    )
    archive_dir: Path | None = Field(
        None,
        validation_alias="ARCHIVE_DIR",
        description="Folder of archived months. Empty: `archive` in NOVA_HOME.",
    )
    history_months: int = Field(
        36,
        ge=24,
        validation_alias="NOVA_HISTORY_MONTHS",
        description="Last months that training needs: `flask archive` leaves them.",
    )
    data: Path | None = Field(
        None,
        validation_alias="NOVA_DATA",
        description="Folder of ERP files (and mapping.toml). Empty: demo data.",
    )
    hosts: str | None = Field(
        None,
        validation_alias="NOVA_HOSTS",
        description="Host names to answer to, with commas; `.example.com` with subdomains. "
        "Empty: any.",
    )
    proxy_hops: int = Field(
        0,
        ge=0,
        le=10,
        validation_alias="NOVA_PROXY_HOPS",
        description="Proxies in front whose X-Forwarded-For and -Proto count. 0: none.",
    )
    cors_origins: str | None = Field(
        None,
        validation_alias="NOVA_CORS_ORIGINS",
        description="Origins whose scripts may call /api/v1 with a token, with commas. "
        "Empty: none.",
    )
    oidc_issuer: str | None = Field(
        None,
        validation_alias="NOVA_OIDC_ISSUER",
        description="OpenID Connect issuer for signing in. Empty: e-mail and password alone.",
    )
    oidc_client_id: str | None = Field(
        None, validation_alias="NOVA_OIDC_CLIENT_ID", description="Our name at the issuer."
    )
    oidc_client_secret: str | None = Field(
        None, validation_alias="NOVA_OIDC_CLIENT_SECRET", description="Our secret at the issuer."
    )
    oidc_groups: str | None = Field(
        None,
        validation_alias="NOVA_OIDC_GROUPS",
        description="Roles of the issuer's groups: `telecom-admins=ADMIN,telecom=VIEWER`.",
    )
    map_tile_url: str | None = Field(
        None,
        validation_alias="MAP_TILE_URL",
        description="Tiles under the map: https://tiles.example.com/{z}/{x}/{y}.png. Empty: none.",
    )
    commit: str | None = Field(
        None,
        validation_alias="NOVA_COMMIT",
        description="Commit that an image was built from. Empty: asked of git.",
    )
    metrics_token: str | None = Field(
        None,
        validation_alias="NOVA_METRICS_TOKEN",
        description="Bearer token of a scraper of /metrics on another machine. Empty: none may.",
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Receiver of traces (OTLP over HTTP): http://host:4318. Empty: none.",
    )
    slow_query_ms: int = Field(
        500,
        ge=1,
        validation_alias="NOVA_SLOW_QUERY_MS",
        description="A statement of a request that takes longer is logged.",
    )
    slow_batch_ms: int = Field(
        10_000,
        ge=1,
        validation_alias="NOVA_SLOW_BATCH_MS",
        description="The same of loads, publishes and derivations, and of all rows of a file.",
    )
    debug: bool = Field(
        False,
        validation_alias="FLASK_DEBUG",
        description="Flask's debug mode; refused in production.",
    )
    upload_mb: int = Field(
        50,
        ge=1,
        le=2000,
        validation_alias="NOVA_UPLOAD_MB",
        description="Largest ERP file that /admin/data and the API take, in MB.",
    )
    limit: int | None = Field(
        None,
        ge=1,
        validation_alias="NOVA_LIMIT",
        description="Train only this many series; the screens say so.",
    )
    dask_scheduler: str | None = Field(
        None,
        validation_alias="NOVA_DASK_SCHEDULER",
        description="Dask cluster that trains: tcp://host:8786. Empty: this machine's processes.",
    )

    sgs_url: str = Field(
        "https://api.bcb.gov.br",
        validation_alias="NOVA_SGS_URL",
        description="Banco Central's time series, for `flask drivers fetch`.",
    )
    ptax_url: str = Field(
        "https://olinda.bcb.gov.br",
        validation_alias="NOVA_PTAX_URL",
        description="Banco Central's exchange rates, for the same.",
    )
    sidra_url: str = Field(
        "https://apisidra.ibge.gov.br",
        validation_alias="NOVA_SIDRA_URL",
        description="IBGE's tables, for the same.",
    )
    open_meteo_url: str = Field(
        "https://archive-api.open-meteo.com",
        validation_alias="NOVA_OPEN_METEO_URL",
        description="Open-Meteo's archive of weather, for the same.",
    )
    smtp_host: str | None = Field(
        None,
        validation_alias="NOVA_SMTP_HOST",
        description="Mail server that board packs are sent by. Empty: none are sent.",
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, validation_alias="NOVA_SMTP_PORT", description="Its port."
    )
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        validation_alias="NOVA_SMTP_TLS",
        description="How the connection is kept private: starttls, tls (from the start) or none.",
    )
    smtp_user: str | None = Field(
        None, validation_alias="NOVA_SMTP_USER", description="Our name there, where it asks."
    )
    smtp_password: str | None = Field(
        None, validation_alias="NOVA_SMTP_PASSWORD", description="Our password there."
    )
    smtp_from: str | None = Field(
        None,
        validation_alias="NOVA_SMTP_FROM",
        description="Address that board packs come from: nova@example.com.",
    )
    site_url: str | None = Field(
        None,
        validation_alias="NOVA_SITE_URL",
        description="Where people open the product, for links in e-mails: https://nova.example.com.",
    )

    llm_base_url: str | None = Field(
        None,
        validation_alias="LLM_BASE_URL",
        description="OpenAI-compatible endpoint that words recommendations, offline: "
        "https://host/v1. Empty: templates.",
    )
    llm_api_key: str | None = Field(
        None, validation_alias="LLM_API_KEY", description="Its key, where it asks for one."
    )
    llm_model: str | None = Field(
        None, validation_alias="LLM_MODEL", description="The model's name there."
    )
    llm_timeout: float = Field(
        30.0,
        gt=0,
        le=600,
        validation_alias="LLM_TIMEOUT",
        description="Seconds that it may take for an answer; a model on processors takes more.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        field = cls.model_fields[info.field_name]  # type: ignore[attr-defined]
        return field.get_default() if isinstance(value, str) and not value.strip() else value

    @field_validator("home", "archive_dir", "data")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()

    @field_validator("database_url", "database_owner_url", "database_replica_url")
    @classmethod
    def _with_driver(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or not scheme.startswith("postgres"):
            raise ValueError("must be a URL such as postgresql://user:password@host:5432/name")
        check_server(value)
        return f"postgresql+psycopg2://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _cache(cls, value: str | None) -> str | None:
        if value is not None:
            if value.partition("://")[0] not in REDIS:
                raise ValueError("must be a URL such as redis://:password@host:6379/0")
            check_server(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str | None) -> str | None:
        for origin in listed(value):
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
        return value

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: str | None) -> str | None:
        for name in listed(value):
            if not HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a host name such as nova.example.com")
        return value

    @field_validator("map_tile_url")
    @classmethod
    def _tiles(cls, value: str | None) -> str | None:
        if value is not None and not TILES.fullmatch(value):
            raise ValueError("must be a URL such as https://tiles.example.com/{z}/{x}/{y}.png")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        if value is not None and not ISSUER.fullmatch(value):
            raise ValueError("must be a URL such as https://login.example.com/realms/telecom")
        return value

    @field_validator("otlp_endpoint", "llm_base_url")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value is not None and not ENDPOINT.fullmatch(value):
            raise ValueError("must be a URL such as https://host.example.com/v1")
        return value

    @field_validator("sgs_url", "ptax_url", "sidra_url", "open_meteo_url")
    @classmethod
    def _source(cls, value: str) -> str:
        if not ENDPOINT.fullmatch(value):
            raise ValueError("must be a URL such as https://api.example.com")
        return value

    @field_validator("dask_scheduler")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not SCHEDULER.fullmatch(value):
            raise ValueError("must be an address such as tcp://scheduler:8786")
        return value

    @field_validator("site_url")
    @classmethod
    def _site(cls, value: str | None) -> str | None:
        if value is not None and not ORIGIN.fullmatch(value.rstrip("/")):
            raise ValueError(f"{value!r} is not an address such as https://nova.example.com")
        return value and value.rstrip("/")

    @field_validator("smtp_host")
    @classmethod
    def _mail_server(cls, value: str | None) -> str | None:
        if value is not None and not HOST_NAME.fullmatch(value.lower()):
            raise ValueError(f"{value!r} is not a host name such as mail.example.com")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and not all(parseaddr(value)[1].partition("@")):
            raise ValueError(f"{value!r} is not an address such as nova@example.com")
        return value

    @model_validator(mode="after")
    def _smtp_is_complete(self) -> Settings:
        if self.smtp_host and not self.smtp_from:
            raise ValueError("NOVA_SMTP_HOST needs NOVA_SMTP_FROM too")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("NOVA_SMTP_USER and NOVA_SMTP_PASSWORD go together")
        return self

    @model_validator(mode="after")
    def _llm_is_complete(self) -> Settings:
        if self.llm_base_url and not self.llm_model:
            raise ValueError("LLM_BASE_URL needs LLM_MODEL too")
        return self

    @field_validator("oidc_groups")
    @classmethod
    def _groups(cls, value: str | None) -> str | None:
        for pair in listed(value):
            if pair.rpartition("=")[2] not in ROLES or not pair.rpartition("=")[0].strip():
                raise ValueError(f"{pair!r} is not group=ROLE with one of {', '.join(ROLES)}")
        return value

    @model_validator(mode="after")
    def _oidc_is_complete(self) -> Settings:
        parts = {
            "NOVA_OIDC_ISSUER": self.oidc_issuer,
            "NOVA_OIDC_CLIENT_ID": self.oidc_client_id,
            "NOVA_OIDC_CLIENT_SECRET": self.oidc_client_secret,
            "NOVA_OIDC_GROUPS": self.oidc_groups,
        }
        missing = [name for name, value in parts.items() if not value]
        if missing and len(missing) < len(parts):
            raise ValueError(f"signing in by OpenID Connect needs {', '.join(missing)} too")
        return self

    @model_validator(mode="after")
    def _production_is_complete(self) -> Settings:
        if self.env == "production":
            problems = [problem for check in PRODUCTION for problem in check(self)]
            if problems:
                raise ValueError(f"NOVA_ENV=production needs {'; '.join(problems)}")
        if self.secret_key_setting is not None:
            check_secret(self.secret_key_setting)
        return self

    @property
    def secret_key(self) -> str:
        """The signing key: from the environment, else made once and kept in NOVA_HOME (0600)."""
        return self.secret_key_setting or kept_secret(self.home / "secret_key")


def listed(value: str | None) -> tuple[str, ...]:
    """The parts of a setting that names several things, with commas between them."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _missing(settings: Settings) -> list[str]:
    needed = {
        "SECRET_KEY": settings.secret_key_setting,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    return [name for name, value in needed.items() if not value]


def _debugging(settings: Settings) -> list[str]:
    return ["FLASK_DEBUG off"] if settings.debug else []


def _weak_password(settings: Settings) -> list[str]:
    password = settings.admin_password
    if password is None or is_strong(password):
        return []
    return [f"NOVA_ADMIN_PASSWORD of {PASSWORD_LETTERS} characters or more, hard to guess"]


def _open_origins(settings: Settings) -> list[str]:
    plain = [one for one in listed(settings.cors_origins) if not one.startswith("https://")]
    return [f"NOVA_CORS_ORIGINS with https:// ({', '.join(plain)})"] if plain else []


def _short_token(settings: Settings) -> list[str]:
    is_short = len(settings.metrics_token or "x" * SECRET_BYTES) < SECRET_BYTES
    return [f"NOVA_METRICS_TOKEN of {SECRET_BYTES} letters or more"] if is_short else []


def _open_issuer(settings: Settings) -> list[str]:
    is_open = (settings.oidc_issuer or "https://").startswith("http://")
    return ["NOVA_OIDC_ISSUER with https://"] if is_open else []


PRODUCTION = (_missing, _debugging, _weak_password, _open_origins, _open_issuer, _short_token)


def is_strong(password: str) -> bool:
    """True for a password that is long, varied and none of the usual words."""
    is_known = any(word in password.lower() for word in WEAK_PASSWORDS)
    return (
        len(password) >= PASSWORD_LETTERS
        and len(set(password)) >= DIFFERENT_LETTERS
        and not is_known
    )


def check_secret(value: str) -> None:
    """Raises ValueError for a key that is short or looks like an example."""
    if len(value.encode()) < SECRET_BYTES:
        raise ValueError(f"SECRET_KEY must have at least {SECRET_BYTES} bytes")
    if (
        any(word in value.lower() for word in EXAMPLE_SECRETS)
        or len(set(value)) < DIFFERENT_LETTERS
    ):
        raise ValueError("SECRET_KEY looks like an example; make one with `openssl rand -hex 32`")


def check_server(url: str) -> None:
    """Raises ValueError, which does not tell the URL, where another program may read another server
    or password in it than we do."""
    try:
        parts = urlsplit(url)
        is_clear = parts.netloc.count("@") <= 1 and parts.port != 0
    except ValueError:
        is_clear = False
    if not is_clear:
        raise ValueError(
            "is no URL whose host and port can be told: of a password, write characters other than"
            " letters and digits as %2F, %40 and so on"
        )


def kept_secret(path: Path) -> str:
    """The secret stored at `path`, made on first use; safe with several processes at once. Raises
    SettingsError where the file does not hold one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(SECRET_BYTES))
            handle.flush()
            os.fsync(descriptor)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first: its secret is the one
        finally:
            fresh.unlink()
    try:
        secret = path.read_text().strip()
        check_secret(secret)
    except ValueError:
        raise SettingsError(f"{path} is damaged: remove it; everyone signs in again") from None
    return secret


@lru_cache
def get_settings() -> Settings:
    """The process's settings. Raises SettingsError with one clear line."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        parts.append(f"{where}: {message}" if where else message)
    return "Settings: " + "; ".join(parts)
