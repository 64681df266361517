"""`make run`: from a bare clone to a served page, doing only what is not up to date.

Standard library only: it runs before any environment exists. Every step is a command of its own
that can also be typed alone; this file puts them in order and cleans up after them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.console import Failed, main_of, say
from scripts.environments import (
    Background,
    clean_environment,
    ensure,
    ensure_all,
    python_of,
)
from scripts.processes import (
    ROOT,
    Children,
    Interrupts,
    Stopped,
    start_group,
    wait_until_served,
)

RESTARTS = 5
RESTART_WINDOW = 60.0
LOG_BYTES = 10_000_000
LISTING = "run.json"


class Run:
    """One `make run`: the facts about the home, and the processes that it started."""

    def __init__(self, interrupts: Interrupts) -> None:
        self.interrupts = interrupts
        self.facts: dict[str, str] = {}
        self.home = Path()
        self.children: Children | None = None
        self.keeper: subprocess.Popen[bytes] | None = None
        self.server: subprocess.Popen[bytes] | None = None

    # Services

    def start_services(self) -> None:
        """Postgres and Valkey answer, or Failed says why not."""
        command = [python_of("web"), "scripts/services.py", "keep"]
        with self.interrupts.held():
            self.keeper = keeper = start_group(command, stdout=subprocess.PIPE)
        assert keeper.stdout is not None
        line = keeper.stdout.readline()
        if not line:
            keeper.wait()
            raise Failed("The services did not start.")
        self._learn(line, LISTING)

    def borrow_services(self) -> None:
        """Postgres and Valkey answer, whoever started them."""
        command = [python_of("web"), "scripts/services.py", "borrow"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failed("The services did not start.")
        self._learn(done.stdout, "train.json")

    def _learn(self, facts: bytes, listing: str) -> None:
        self.facts = json.loads(facts)
        self.home = Path(self.facts["home"])
        if self.children is None:
            self.children = Children(self.home / listing, self.interrupts)

    def stop(self) -> None:
        """Ends everything that this run started: the server first, the services last."""
        if self.children is not None:
            self.children.end()
        if self.keeper is not None:
            self.keeper.terminate()
            self.keeper.wait()
        elif self.facts:
            _services("release")

    # Steps

    def command(self, *arguments: str) -> int:
        """Runs `python -m …`; what it says is for the person to read. Gives its exit code."""
        assert self.children is not None
        child = self.children.start([python_of("web"), "-m", *arguments])
        code = child.wait()
        self.children.forget(child)
        return code

    def flask(self, *arguments: str) -> None:
        """Runs a command of the product; raises Failed if it fails (it has said why)."""
        if self.command("flask", "--app", "dashboard.cli", *arguments):
            raise Failed(f"`flask {' '.join(arguments)}` failed: see above.")

    def flask_answer(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the product whose answer is read, not shown."""
        command = [python_of("web"), "-m", "flask", "--app", "dashboard.cli", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )

    def prepare(self) -> None:
        """The schema is at its head and the ERP files are loaded; what is unchanged is left."""
        say(f"services: database {self.facts['postgres']}, cache {self.facts['cache']}")
        if self.command("alembic", "upgrade", "head"):
            raise Failed("The database could not be migrated: see above.")
        say("database: schema up to date")
        folder = Path(self.facts["data"]) if self.facts["data"] else self._demo_files()
        mapping = folder / "mapping.toml"
        options = ["--mapping", str(mapping)] if mapping.exists() else []
        self.flask("ingest", str(folder), *options)
        say("data: up to date")

    def _demo_files(self) -> Path:
        folder = self.home / "demo"
        if not folder.exists():
            say("demo data: generating …")
            fresh = self.home / "demo.new"
            shutil.rmtree(fresh, ignore_errors=True)
            self.flask("demo-data", str(fresh))
            fresh.rename(folder)
        return folder

    def train_and_publish(self, trainer: Background) -> None:
        """The published run is that of the data; trains only if it is not."""
        needed = self.flask_answer("runs", "needed").stdout.strip()
        if needed not in ("yes", "no"):
            raise Failed("`flask runs needed` failed: see above.")
        if needed == "no":
            say("forecasts: up to date")
            return
        trainer.wait()
        self.train()

    def train(self) -> None:
        """Trains on what is loaded and publishes the result."""
        limit = self.facts["limit"]
        bundle = self._train(["--limit", str(limit)] if limit else [])
        say("forecasts: publishing …")
        self.flask("publish", bundle)

    def _train(self, options: list[str]) -> str:
        """Trains with its progress shown; gives the bundle, which is its last line."""
        assert self.children is not None
        say("forecasts: training …")
        command = [python_of("trainer"), "-m", "models_offline", "train", *options]
        child = self.children.start(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        line = ""
        for raw in child.stdout:
            line = raw.decode(errors="replace").rstrip()
            print(line, flush=True)
        code = child.wait()
        self.children.forget(child)
        if code:
            raise Failed("The training failed: see above.")
        return line

    def first_password(self) -> tuple[str, str] | None:
        """E-mail and password of the first administrator, if it was made just now."""
        answer = self.flask_answer("users", "ensure-admin")
        if answer.returncode:
            raise Failed("The first administrator could not be made: see above.")
        email, _, password = answer.stdout.strip().partition("\t")
        return (email, password) if password else None

    # The server

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to serve on."""
        return self.facts["host"], int(self.facts["port"])

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        host, port = self.address
        return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else host}:{port}"

    def check_port(self) -> None:
        """Raises Failed if a stranger listens there."""
        host, port = self.address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Failed(
                    f"Cannot serve on {host}:{port} ({error.strerror}): "
                    "another program listens there. Choose a port, as in: make run PORT=8060"
                ) from None

    def launch(self) -> None:
        """Starts gunicorn; `await_server` says when it serves."""
        assert self.children is not None
        with self._server_log().open("ab") as output:
            self.server = self.children.start(
                [python_of("web"), "-m", "gunicorn", "wsgi:server"],
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def await_server(self) -> None:
        """Returns when the server answers; raises Failed with the end of its log if it does not."""
        assert self.server is not None
        wait_until_served(f"{self.url}/health", self.server, self._server_log())

    def _server_log(self) -> Path:
        folder = self.home / "logs"
        folder.mkdir(exist_ok=True, mode=0o700)
        log = folder / "server.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(folder / "server.log.1")
        return log

    def watch(self) -> None:
        """Until the end: what dies is started again, unless it keeps dying."""
        deaths: list[float] = []
        while True:
            time.sleep(0.5)
            name = self._restart_the_dead()
            if name is None:
                continue
            deaths = [at for at in deaths if time.monotonic() - at < RESTART_WINDOW]
            deaths.append(time.monotonic())
            if len(deaths) > RESTARTS:
                raise Failed(f"The {name} keeps ending; see {self.home / 'logs' / 'server.log'}.")

    def _restart_the_dead(self) -> str | None:
        assert self.server is not None and self.keeper is not None and self.children is not None
        if self.keeper.poll() is not None:
            say("the keeper of the services ended unexpectedly: starting it again")
            self.start_services()
            return "keeper of the services"
        if self.server.poll() is not None:
            say("the server ended unexpectedly: starting it again")
            self.children.forget(self.server)
            self.launch()
            self.await_server()
            return "server"
        return None


def _serve(run: Run) -> None:
    ensure("web")
    trainer = Background(ensure, "trainer")
    run.start_services()
    run.check_port()
    run.prepare()
    run.train_and_publish(trainer)
    run.check_port()
    run.launch()
    admin = run.first_password()
    try:
        run.await_server()
        say(f"Nova Corrente serves on {run.url} (Ctrl-C stops it; log: {run.home}/logs/server.log)")
    finally:
        _show(admin)
    run.watch()


def _train(run: Run) -> None:
    ensure_all(["web", "trainer"])
    run.borrow_services()
    run.prepare()
    run.train()


def _show(admin: tuple[str, str] | None) -> None:
    if admin is not None:
        print(f"\n    First administrator, shown only now:\n    e-mail    {admin[0]}")
        print(f"    password  {admin[1]}\n", flush=True)


def _until_interrupted(work: Callable[[Run], None]) -> None:
    """Raises Failed with the reason when a step does not work; leaves no process behind."""
    interrupts = Interrupts()
    interrupts.install()
    say(f"Python {sys.version.split()[0]} ({sys.executable})")
    run = Run(interrupts)
    try:
        work(run)
    except Stopped:
        say("stopping …")
    finally:
        run.stop()
    say("stopped")


def _services(command: str) -> int:
    python = python_of("web")
    if not os.access(python, os.X_OK):
        say("nothing is installed, so nothing runs")
        return 0
    return subprocess.run([python, "scripts/services.py", command], check=False).returncode


COMMANDS = {
    "serve": lambda: _until_interrupted(_serve),
    "train": lambda: _until_interrupted(_train),
    "stop": lambda: sys.exit(_services("stop")),
    "status": lambda: sys.exit(_services("status")),
}


if __name__ == "__main__":
    os.chdir(ROOT)
    main_of(COMMANDS[sys.argv[1]])
