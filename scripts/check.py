"""Every check of the project, as `make test`, `lint`, `faults`, `bench` and `soak` run them.
Standard library only.

`lint` runs ruff and mypy; `test` runs them and both test suites, and ends where they complain;
`faults` runs what is marked `fault` in both, with outages at full length; `bench` and `soak`
measure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.console import Failed, main_of, say
from scripts.environments import (
    Background,
    clean_environment,
    ensure,
    install_debian_packages,
    python_of,
)
from scripts.processes import ROOT

BROWSERS = ("chromium-headless-shell", "chromium")
"""The shell first: Chromium without its windows, for a quarter less of the processors."""
BROWSER_PACKAGES = ["chromium-headless-shell", "chromium-driver", "fonts-liberation"]
OFFICE_PACKAGE = "libreoffice-calc-nogui"
PROCESSES = min(4, (os.cpu_count() or 1) + 1)
SIDE_BY_SIDE = [f"--numprocesses={PROCESSES}", "--dist=loadfile", "--no-loadscope-reorder"]
"""Each process has a home of its own: database, cache, served product, browser. One more than there
are processors, as tests wait a lot; in order, because the browser's files are the longest."""
OFFLINE_SIDE_BY_SIDE = [f"--numprocesses={os.cpu_count() or 1}", "--dist=loadfile"]
"""The trainer's tests never wait: they take what processors have left while the others do, and
begin beside the linters, which keep one busy."""
WITH_WHAT_IS_LEFT = ["nice", "-n", "10"]

LINTERS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])


def lint() -> None:
    """Raises Failed at the first linter that complains."""
    ensure("tests")
    for linter in LINTERS:
        say(" ".join(linter))
        if _module("tests", *linter):
            raise Failed(f"{' '.join(linter)} failed: see above.")


def test() -> None:
    """Lints and runs both suites to the end, side by side. Exits with what failed first."""
    web, trainer = (Background(ensure, name) for name in ("web", "trainer"))
    trainer.wait()
    say("tests of the trainer begin, in its own environment: what they say comes last")
    with tempfile.TemporaryFile() as said:
        with _trainers_suite(said) as beside:
            lint()
            ensure_browser()
            web.wait()
            office = Background(ensure_office)
            say("tests of everything else")
            rest = _module("tests", "pytest", *SIDE_BY_SIDE, *sys.argv[2:])
            say("tests of the trainer")
            offline = beside.wait()
            office.wait()
        said.seek(0)
        print(said.read().decode(errors="replace"), flush=True)
    if offline:
        say(f"the trainer's tests ended with exit code {offline}")
    sys.exit(offline or rest)


def faults() -> None:
    """Runs every test that breaks something, with long outages. Raises Failed if one ends otherwise
    than it should."""
    for environment in ("tests", "trainer"):
        ensure(environment)
    os.environ["NOVA_LONG_FAULTS"] = "1"
    served = _module("tests", "pytest", "-m", "fault", *sys.argv[2:])
    if _module("trainer", "pytest", "tests/offline", "-m", "fault") or served:
        raise Failed("a fault did not end as it should: see above.")


def bench() -> None:
    """Measures the product at scale. Raises Failed if a bar is missed."""
    for environment in ("web", "trainer"):
        ensure(environment)
    if _module("web", "benchmarks", *sys.argv[2:]):
        raise Failed("a bar is missed: see the table above.")


def soak() -> None:
    """Serves the scale database under a steady load. Raises Failed if a bar is missed."""
    ensure("web")
    asked = [f"--minutes={os.environ.get('MINUTES', 30)}", f"--rate={os.environ.get('RATE', 50)}"]
    if _module("web", "benchmarks.soak", *asked):
        raise Failed("a bar is missed: see the table above.")


def ensure_browser() -> None:
    """Chromium and its driver, installed where we may; without them the browser tests skip."""
    shell, whole = (all(map(shutil.which, (name, "chromedriver"))) for name in BROWSERS)
    if shell:
        say("browser: up to date")
    elif not install_debian_packages(BROWSER_PACKAGES):
        packages = " ".join(BROWSER_PACKAGES)
        what = "the whole Chromium, which is slower" if whole else "missing, its tests will skip"
        say(f"browser: {what}. To install it: sudo apt-get install {packages}")


def ensure_office() -> None:
    """LibreOffice, as `ensure_browser`; its one test is among the last, and skips without it."""
    if shutil.which("soffice"):
        say("LibreOffice: up to date")
    elif not install_debian_packages([OFFICE_PACKAGE]):
        say(
            f"LibreOffice: missing, its test skips. It needs: sudo apt-get install {OFFICE_PACKAGE}"
        )


@contextmanager
def _trainers_suite(said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The trainer's tests under way, writing into `said`; a failure beside them ends them."""
    suite = _command("trainer", "pytest", "tests/offline", *OFFLINE_SIDE_BY_SIDE)
    command = [*WITH_WHAT_IS_LEFT, *suite]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=said, stderr=said
    ) as started:
        try:
            yield started
        except BaseException:
            started.terminate()
            raise


def _module(environment: str, *arguments: str) -> int:
    command = _command(environment, *arguments)
    return subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False).returncode


def _command(environment: str, *arguments: str) -> list[str]:
    return [python_of(environment), "-m", *arguments]


if __name__ == "__main__":
    os.chdir(ROOT)
    commands = {"bench": bench, "faults": faults, "lint": lint, "soak": soak, "test": test}
    main_of(commands[sys.argv[1]])
