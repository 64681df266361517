"""Starting and ending groups of processes so that nothing is left behind. Standard library only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from scripts.console import Failed
from scripts.environments import clean_environment

ROOT = Path(__file__).resolve().parent.parent
SERVE_SECONDS = 90


class Stopped(Exception):
    """Ctrl-C, SIGTERM or SIGHUP."""


class Interrupts:
    """Turns the first of the signals that end a command into Stopped, and ignores the rest."""

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._held = False
        self._came = False

    def install(self) -> None:
        """Under `nohup`, SIGHUP stays ignored."""
        for number in self.numbers:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A process that is being started is not lost sight of."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._came:
            raise Stopped

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        for number in self.numbers:
            signal.signal(number, signal.SIG_IGN)
        self._came = True
        if not self._held:
            raise Stopped


class Children:
    """The process groups of one `make run`, also listed in a file for whoever must clean up."""

    def __init__(self, listing: Path, interrupts: Interrupts) -> None:
        self._listing = listing
        self._interrupts = interrupts
        self._groups: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: list[str], **options: object) -> subprocess.Popen[bytes]:
        """Starts `command` in the root folder as the leader of a group of its own."""
        with self._interrupts.held():
            child = start_group(command, **options)
            self._groups[child.pid] = child
            self._write()
        return child

    def forget(self, child: subprocess.Popen[bytes]) -> None:
        """Ends what is left of the group of a child that has ended."""
        end_group(child.pid, seconds=2)
        self._groups.pop(child.pid, None)
        self._write()

    def end(self, seconds: float = 15) -> None:
        """Ends them all, newest first: politely, then surely."""
        for pid, child in reversed(self._groups.items()):
            signal_group(pid, signal.SIGTERM)
            try:
                child.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                signal_group(pid, signal.SIGKILL)
                child.wait()
            end_group(pid, seconds=2)
        self._groups.clear()
        self._listing.unlink(missing_ok=True)

    def _write(self) -> None:
        fresh = self._listing.with_name(f"{self._listing.name}.new")
        facts = {"owner": os.getpid(), "file": _name(self._listing), "groups": list(self._groups)}
        fresh.write_text(json.dumps(facts))
        fresh.replace(self._listing)


def start_group(command: list[str], **options: object) -> subprocess.Popen[bytes]:
    """A process in the root folder that no terminal reaches, leader of its own group."""
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )


def end_listed(listing: Path) -> int:
    """Ends the groups of a killed `make run`; gives how many there were.

    A listing that came with a copied NOVA_HOME names the processes of another: they are left alone.
    """
    try:
        facts = json.loads(listing.read_text())
    except FileNotFoundError:
        return 0
    groups = facts["groups"] if facts.get("file") == _name(listing) else []
    ours = [group for group in reversed(groups) if _is_ours(group)]
    for group in ours:
        end_group(group, seconds=15)
    listing.unlink(missing_ok=True)
    return len(ours)


def _name(listing: Path) -> str:
    return str(listing.resolve())


def end_group(group: int, seconds: float) -> None:
    """SIGTERM, and SIGKILL for what still lives after `seconds`."""
    signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> None:
    """Signals every process of the group, if there is one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def group_lives(group: int) -> bool:
    """True while the group has a process that is not a zombie."""
    if not sys.platform.startswith("linux"):
        return _signal_reaches(group)
    return any(_state(entry)[1:] == (group, True) for entry in Path("/proc").glob("[0-9]*"))


def _signal_reaches(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _state(entry: Path) -> tuple[int, int, bool]:
    """pid, group, and whether it lives, of an entry in /proc."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return int(entry.name), -1, False
    return int(entry.name), int(fields[2]), fields[0] not in ("Z", "X")


def _is_ours(group: int) -> bool:
    """Process numbers are used again: only a group at work in this folder is ours."""
    if sys.platform.startswith("linux"):
        members = [e for e in Path("/proc").glob("[0-9]*") if _state(e)[1] == group]
        return any(_folder(entry) == str(ROOT) for entry in members)
    command = ["ps", "-p", str(group), "-o", "command="]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return ".venvs" in said


def _folder(entry: Path) -> str:
    try:
        return os.readlink(entry / "cwd")
    except OSError:
        return ""


class Process(Protocol):
    """What can be asked whether it has ended."""

    def poll(self) -> int | None:
        """None while it lives."""


def wait_until_served(url: str, process: Process, log: Path) -> None:
    """Returns when the server `process` answers at `url` with a success. Raises Failed with the end
    of its log if it has ended or takes too long."""
    deadline = time.monotonic() + SERVE_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"The server does not start; the end of {log}:\n{_tail(log)}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5):
            return True
    except OSError:
        return False


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
