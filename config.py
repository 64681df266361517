"""Settings from the environment, validated once at start.

Each field carries its environment variable, default and one line of help; `.env.example` and the
README's table are checked against this file by a test.
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EXAMPLE_SECRETS = ("changeme", "change-me", "secret", "example", "password")
SECRET_BYTES = 32


class SettingsError(Exception):
    """The environment holds a value that the program cannot run with."""


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
    data: Path | None = Field(
        None,
        validation_alias="NOVA_DATA",
        description="Folder of ERP files (and mapping.toml). Empty: demo data.",
    )
    limit: int | None = Field(
        None,
        ge=1,
        validation_alias="NOVA_LIMIT",
        description="Train only this many series; the screens say so.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        field = cls.model_fields[info.field_name]  # type: ignore[attr-defined]
        return field.get_default() if isinstance(value, str) and not value.strip() else value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url", "database_replica_url")
    @classmethod
    def _with_driver(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or not scheme.startswith("postgres"):
            raise ValueError("must be a URL such as postgresql://user:password@host:5432/name")
        return f"postgresql+psycopg2://{rest}"

    @model_validator(mode="after")
    def _production_is_complete(self) -> Settings:
        if self.env == "production":
            missing = [
                name
                for name, value in (
                    ("SECRET_KEY", self.secret_key_setting),
                    ("DATABASE_URL", self.database_url),
                    ("REDIS_URL", self.redis_url),
                )
                if not value
            ]
            if missing:
                raise ValueError(f"NOVA_ENV=production needs {', '.join(missing)}")
        if self.secret_key_setting is not None:
            check_secret(self.secret_key_setting)
        return self

    @property
    def secret_key(self) -> str:
        """The signing key: from the environment, else made once and kept in NOVA_HOME (0600)."""
        return self.secret_key_setting or kept_secret(self.home / "secret_key")


def check_secret(value: str) -> None:
    """Raises ValueError for a key that is short or looks like an example."""
    if len(value.encode()) < SECRET_BYTES:
        raise ValueError(f"SECRET_KEY must have at least {SECRET_BYTES} bytes")
    if any(word in value.lower() for word in EXAMPLE_SECRETS) or len(set(value)) < 8:
        raise ValueError("SECRET_KEY looks like an example; make one with `openssl rand -hex 32`")


def kept_secret(path: Path) -> str:
    """The secret stored at `path`, made on first use; safe with several processes at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(SECRET_BYTES))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first: its secret is the one
        finally:
            fresh.unlink()
    return path.read_text().strip()


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
