"""config.py, .env.example and the README tell the same settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import Settings, SettingsError, get_settings, kept_secret
from tests import services

ENVIRONMENT = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)
INTERPOLATED = re.compile(r"(?<!\$)\$\{(\w+)")
ROW = re.compile(r"^\| (?:`[A-Z_]+`(?:, )?)+ \|", re.MULTILINE)
NAMES = {str(field.validation_alias) for field in Settings.model_fields.values()}


def test_the_example_file_lists_every_setting_and_what_production_asks_for() -> None:
    example = (services.ROOT / ".env.example").read_text()
    asked = set(INTERPOLATED.findall((services.ROOT / "docker-compose.prod.yml").read_text()))
    assert {name for name, _ in ENVIRONMENT.findall(example)} == NAMES | asked


def test_the_example_file_shows_the_defaults() -> None:
    example = dict(ENVIRONMENT.findall((services.ROOT / ".env.example").read_text()))
    for field in Settings.model_fields.values():
        shown = "" if field.default is None else str(field.default)
        assert example[str(field.validation_alias)] == shown, field.validation_alias


def test_the_readme_lists_every_setting() -> None:
    rows = ROW.findall((services.ROOT / "README.md").read_text())
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == NAMES


def test_the_home_of_the_account_is_not_ours(tmp_path: Path) -> None:
    """A field called `home` must not be read from HOME."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    program = "from config import get_settings; print(get_settings().home)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=services.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == services.ROOT / ".nova"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("NOVA_ENV", "test"),
        ("REDIS_URL", "foo"),
        ("REDIS_URL", "redis://:hush/a@valkey:6379/0"),
        ("DATABASE_URL", "postgresql://nova@postgres:x/nova"),
        ("DATABASE_OWNER_URL", "postgresql://nova:hush/a@postgres/nova"),
        ("DATABASE_REPLICA_URL", "postgresql://nova:hush@a@postgres/nova"),
        ("NOVA_SMTP_HOST", "smtp://mail.example.com"),
        ("NOVA_SMTP_FROM", "nova"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match=f"{name}: ") as refused:
        get_settings()
    assert "hush" not in str(refused.value)
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.parametrize("kept", [b"", b"\0" * 64, b"\xff" * 64, b"0123456789abcdef"])
def test_a_damaged_key_is_told_and_not_used(kept: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.write_bytes(kept)
    with pytest.raises(SettingsError) as refused:
        kept_secret(path)
    assert str(refused.value) == f"{path} is damaged: remove it; everyone signs in again"


def test_a_key_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "secret_key", []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append((path.exists(), number)))
    secret = kept_secret(path)
    assert kept_secret(path) == secret == path.read_text()
    assert [was_named for was_named, _ in synced] == [False]


def test_a_folder_may_begin_with_the_home_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOVA_HOME", "ARCHIVE_DIR", "NOVA_DATA"):
        monkeypatch.setenv(name, "~/nova")
    settings = Settings()
    assert {settings.home, settings.archive_dir, settings.data} == {Path.home() / "nova"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "rediss://nova:ab%2Fcd@valkey:6379/0"),
        ("REDIS_URL", "unix:///run/valkey.sock?db=1"),
        ("DATABASE_URL", "postgresql://nova:ab%40cd@/nova?host=/run/postgresql"),
        ("NOVA_SMTP_FROM", "Nova Corrente <nova@example.com>"),
    ],
)
def test_what_can_be_told_is_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert Settings()
