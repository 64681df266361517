"""The web image, replayed without an engine: what its file copies, in a folder of its own, with its
command, environment and slimmed packages, in production. It serves, and writes to NOVA_HOME and
TMPDIR alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement

from scripts.processes import wait_until_served
from tests import services
from tests.images import copied, files_of, stage, told
from warehouse import embedded

CMD = re.compile(r"^CMD (\[.+\])$", re.MULTILINE)
HEALTHCHECK = re.compile(r"^HEALTHCHECK .*\\\n +CMD (\[.+\])$", re.MULTILINE)
LEFT_OUT = re.compile(r"grep -vE '(.+)' /requirements.txt > /web.txt")
MOST_BYTES = 370_000_000

USE_ALL = """
import importlib, pathlib
for path in sorted(pathlib.Path().rglob("*.py")):
    if "migrations" not in path.parts and path.stem != "gunicorn.conf":
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        importlib.import_module(name)
from domain.transport import best_moves
assert best_moves([3], [2], [[5.0]], [[1.0]]).tolist() == [[2]]
import openpyxl, pandas, pyarrow.dataset, reportlab.pdfgen.canvas, xlsxwriter
from holidays import country_holidays
assert country_holidays("BR", years=2026, language="pt_BR")
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """/app as the image has it."""
    return copied("web", tmp_path / "app")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """What slim.sh leaves of the packages that the image installs; links, so that ours stay."""
    made, bin_ = tmp_path / "packages", tmp_path / "bin"
    for name in installed_by_the_image():
        found = distribution(name)
        for file in found.files or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                place = made / file
                place.parent.mkdir(parents=True, exist_ok=True)
                link(str(found.locate_file(file)), str(place))
    bin_.mkdir()
    if shutil.which("strip") is None:
        (bin_ / "strip").write_text("#!/bin/sh\n")
        (bin_ / "strip").chmod(0o755)
    slim = ["sh", str(services.ROOT / "deploy" / "slim.sh"), str(made)]
    subprocess.run(slim, env={"PATH": f"{bin_}:{os.environ['PATH']}"}, check=True)
    return made


def installed_by_the_image() -> list[str]:
    """The names of its requirements, in the versions that it pins but for what the tests' own tools
    want otherwise."""
    left_out = re.compile(LEFT_OUT.findall(stage("web-packages"))[0])
    lines = (services.ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if not left_out.match(line)]
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate()]
    other = {one.name for one in wanted if not one.specifier.contains(version(one.name))}
    assert other <= {"urllib3"}, other
    return [one.name for one in wanted]


def link(source: str, target: str) -> None:
    """A hard link; a copy of what will be stripped, and where another disk begins."""
    try:
        if ".so" in Path(source).suffixes:
            shutil.copy2(source, target)
        else:
            os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_the_image_serves_in_production_and_writes_nothing(
    image: Path, packages: Path, database_url: str, tmp_path: Path
) -> None:
    before = files_of(image)
    if shutil.which("strip"):
        weight = sum(path.lstat().st_size for path in packages.rglob("*") if path.is_file())
        assert weight <= MOST_BYTES, weight
    port, log = embedded.free_port(), tmp_path / "server.log"
    kept, temporary = tmp_path / "nova", tmp_path / "tmp"
    temporary.mkdir()
    environment = {
        **told("base", "web"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(packages),
        "NOVA_HOME": str(kept),
        "TMPDIR": str(temporary),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "NOVA_COMMIT": "0123abc",
        "NOVA_HOSTS": "nova.example.com",
        "SECRET_KEY": "5f1c0d9be2a74836a1b07c9d4e3f2a68",
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://127.0.0.1:{embedded.free_port()}/0",
    }
    python = [sys.executable, "-S"]  # without the packages that were not slimmed
    subprocess.run([*python, "-c", USE_ALL], cwd=image, env=environment, check=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*python, "-m", *json.loads(CMD.findall(stage("web"))[-1])],
            cwd=image,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_served(f"{url}/health", process, log)
        (check,) = HEALTHCHECK.findall(stage("web"))
        _, *words = json.loads(check.replace(":8050/", f":{port}/"))
        subprocess.run([*python, *words], env=environment, check=True)
        ready = requests.get(f"{url}/api/v1/health", timeout=20).json()["data"]
        assert (ready["commit"], ready["database"], ready["cache"]) == ("0123abc", "up", "down")
        by_address = {"Host": "10.0.0.5:8050"}
        scraped = requests.get(f"{url}/metrics", headers=by_address, timeout=20)
        assert scraped.status_code == 200 and "nova_database_up 1.0" in scraped.text
        assert requests.get(f"{url}/login", headers=by_address, timeout=20).status_code == 400
        by_name = {"Host": "nova.example.com"}
        page = requests.get(f"{url}/login", headers=by_name, timeout=20)
        assert page.status_code == 200 and "__Host-nova" in page.headers["Set-Cookie"]
    finally:
        services.end_group(process)
    assert files_of(image) == before
