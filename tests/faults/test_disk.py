"""A disk that is full: a clear line, nothing half done, and what was shown is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests

from scripts.environments import python_of
from tests import factories, services
from tests.faults.conftest import PATHS, Product
from tests.ingesting import write
from warehouse import embedded
from warehouse.db import make_engine

TRAINER = python_of("trainer")
FULL = "No space left on device"


@pytest.fixture
def tiny(ground: Product) -> Iterator[Path]:
    """A disk of 64 KB that Postgres may write to."""
    found = embedded.place(ground.home)
    assert found is not None
    disk = found / "tiny"
    disk.mkdir()
    account = embedded._account()
    owner = f",uid={account.pw_uid},gid={account.pw_gid}" if account else ""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size=64k,mode=700{owner}", "tmpfs", str(disk)]
    mounted = subprocess.run(mounting, capture_output=True, text=True)
    if mounted.returncode:
        disk.rmdir()
        pytest.skip(f"no small disk can be mounted, which takes root: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
    disk.rmdir()


@pytest.fixture
def cramped(product: Product, tiny: Path) -> Iterator[None]:
    """What the database writes anew goes to the tiny disk."""
    name = product.database.rpartition("/")[2]
    product.execute(f"CREATE TABLESPACE tiny LOCATION '{tiny}'")
    product.execute(f"ALTER DATABASE {name} SET default_tablespace = tiny")
    yield
    product.execute(f"ALTER DATABASE {name} RESET default_tablespace")
    product.execute("DROP TABLESPACE tiny")


def flask(product: Product, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "dashboard.cli", *arguments],
        cwd=services.ROOT,
        env=os.environ | {"NOVA_HOME": str(product.home), "DATABASE_URL": product.database},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.usefixtures("cramped")
def test_a_publish_without_space_changes_nothing(product: Product, tmp_path: Path) -> None:
    before = {path: product.ask(path).data for path in PATHS}
    engine = make_engine(product.database)
    bundle = factories.make_bundle(tmp_path, engine, name="other", scale=2.0)
    engine.dispose()
    done = flask(product, "publish", str(bundle))
    assert done.returncode != 0
    assert FULL in done.stderr and "Traceback" not in done.stderr
    product.new_version()
    assert {path: product.ask(path).data for path in PATHS} == before


@pytest.mark.usefixtures("cramped")
def test_a_load_without_space_changes_nothing(product: Product, tmp_path: Path) -> None:
    before = {path: product.ask(path).data for path in PATHS}
    days = (date(2020, 1, 1) + timedelta(days=day) for day in range(2000))
    lines = "\n".join(f"{day};ITEM-00001;SITE-001;3" for day in days)
    files = write(tmp_path / "files", demand=f"date;sku;site;quantity\n{lines}\n")
    done = flask(product, "ingest", str(files))
    assert done.returncode != 0
    assert FULL in done.stderr and "Traceback" not in done.stderr
    product.new_version()
    assert {path: product.ask(path).data for path in PATHS} == before


@pytest.mark.parametrize("size", [40 << 10, 100 << 10], ids=["the copy", "the body"])
def test_an_upload_without_space_leaves_nothing_and_says_so(
    product: Product, tiny: Path, size: int
) -> None:
    """The disk holds the file once, or not at all."""
    place = product.home / "uploads"
    assert not place.exists()
    place.symlink_to(tiny)
    try:
        answer = requests.post(
            f"{product.url}/api/v1/loads",
            headers={"Authorization": f"Bearer {product.token}"},
            files={"file": ("demand.csv", b"1" * size)},
            data={"dry_run": "true"},
            timeout=30,
        )
        assert list(tiny.iterdir()) == []
    finally:
        place.unlink()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (507, "no_room")
    assert error["message"] == "There is no room for the file on the server."


@pytest.mark.skipif(
    not Path(TRAINER).exists(), reason="the trainer's environment is not made: `make test` makes it"
)
def test_a_training_without_space_leaves_no_bundle(product: Product, tiny: Path) -> None:
    done = subprocess.run(
        [TRAINER, "-m", "models_offline", "train", "--horizon", "7", "--models", "ses,naive"],
        cwd=services.ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": product.database,
            "NOVA_HOME": str(tiny),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert FULL in done.stderr and "Traceback" not in done.stderr
    assert list(tiny.glob("bundles/2*")) == []
