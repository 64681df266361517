"""`make`: what it lists, what it starts, and that nothing of it stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts import environments
from scripts.processes import Children, Interrupts, end_listed, group_lives
from tests import services
from warehouse import embedded

SERVICES = [sys.executable, "scripts/services.py"]
FAMILY = "sleep 300 & sleep 300 & echo ready; wait"


@pytest.fixture
def own_home() -> Iterator[Path]:
    folder = services.make_home()
    yield folder
    services.remove_home(folder)


def eventually(true: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def start_keeper(home: Path) -> subprocess.Popen[str]:
    keeper = subprocess.Popen(
        [*SERVICES, "keep"],
        cwd=services.ROOT,
        env=os.environ | {"NOVA_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout is not None
    facts = json.loads(keeper.stdout.readline())
    assert facts["home"] == str(home)
    return keeper


def answering(home: Path) -> list[bool]:
    return [row.running for row in embedded.status(home)]


def test_help_lists_every_target() -> None:
    makefile = (services.ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets is not None
    said = subprocess.run(["make", "help"], cwd=services.ROOT, capture_output=True, text=True)
    assert set(re.findall(r"make ([a-z]+) ", said.stdout)) == set(targets.group(1).split())


def test_an_unfit_python_is_refused_with_a_reason() -> None:
    done = subprocess.run(
        ["sh", "scripts/python.sh", "-c", "pass"],
        cwd=services.ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "3.11" in done.stderr and "/bin/false" in done.stderr


def test_an_environment_is_made_anew_when_its_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    interpreter = tmp_path / "some" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(sys.executable)
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments, "REQUIREMENTS", {"some": requirements})
    monkeypatch.setattr(
        environments, "_install", lambda name: made.append(requirements.read_text())
    )
    made: list[str] = []
    for text in ("one==1\n", "one==1\n", "one==2\n"):
        requirements.write_text(text)
        environments.ensure("some")
    assert made == ["one==1\n", "one==2\n"]


@pytest.mark.parametrize("refused", [True, False])
def test_bytecode_is_kept_even_where_it_may_not_stand_beside_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "venvs")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1" if refused else "")
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "imported.py").write_text("")
    command = [sys.executable, "-c", "import imported"]
    subprocess.run(command, cwd=sources, env=environments.clean_environment(), check=True)
    beside = {one.is_relative_to(sources) for one in tmp_path.rglob("imported*.pyc")}
    assert beside == {not refused}


def start_family(children: Children, before: str = "") -> subprocess.Popen[bytes]:
    family = children.start(["sh", "-c", before + FAMILY], stdout=subprocess.PIPE)
    assert family.stdout is not None and family.stdout.readline() == b"ready\n"
    return family


def test_ending_children_leaves_no_grandchild(tmp_path: Path) -> None:
    children = Children(tmp_path / "run.json", Interrupts())
    group = start_family(children).pid
    assert group_lives(group)
    children.end()
    assert not group_lives(group)
    assert not (tmp_path / "run.json").exists()


def test_a_stubborn_child_is_ended_too(tmp_path: Path) -> None:
    children = Children(tmp_path / "run.json", Interrupts())
    group = start_family(children, "trap '' TERM; ").pid
    children.end(seconds=0.5)
    assert not group_lives(group)


def test_what_a_killed_run_left_is_ended_by_the_next(tmp_path: Path) -> None:
    child = start_family(Children(tmp_path / "run.json", Interrupts()))
    child.kill()
    child.wait()
    assert group_lives(child.pid)
    assert end_listed(tmp_path / "run.json") == 1
    assert not group_lives(child.pid)
    assert end_listed(tmp_path / "run.json") == 0


def test_a_copied_listing_ends_nobody(tmp_path: Path) -> None:
    children = Children(tmp_path / "run.json", Interrupts())
    group = start_family(children).pid
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "run.json").write_text((tmp_path / "run.json").read_text())
    assert end_listed(copy / "run.json") == 0
    assert group_lives(group)
    children.end()


def test_the_keeper_starts_heals_and_stops_the_services(own_home: Path) -> None:
    keeper = start_keeper(own_home)
    assert answering(own_home) and all(answering(own_home))
    for row in embedded.status(own_home):
        assert row.pid is not None
        os.kill(row.pid, signal.SIGKILL)
    assert eventually(lambda: all(answering(own_home)))
    keeper.terminate()
    assert keeper.wait(timeout=60) == 0
    assert not any(answering(own_home))


def test_the_keeper_stops_the_services_when_its_parent_is_gone(own_home: Path) -> None:
    parent = subprocess.Popen(
        ["sh", "-c", f"'{sys.executable}' scripts/services.py keep; true"],
        cwd=services.ROOT,
        env=os.environ | {"NOVA_HOME": str(own_home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None and parent.stdout.readline()
    parent.kill()
    parent.wait()
    assert eventually(lambda: not any(answering(own_home)), seconds=60)


def test_a_second_run_on_the_same_home_is_refused(own_home: Path) -> None:
    keeper = start_keeper(own_home)
    second = subprocess.run(
        [*SERVICES, "keep"],
        cwd=services.ROOT,
        env=os.environ | {"NOVA_HOME": str(own_home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "make stop" in second.stderr
    assert all(answering(own_home))
    keeper.terminate()
    keeper.wait(timeout=60)
