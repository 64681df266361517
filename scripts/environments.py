"""Makes the three pinned environments in `.venvs/`. Standard library only.

`python scripts/environments.py web trainer` brings those up to date; an environment carries the
hash of what it was made from, so one that is up to date costs nothing.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.console import Failed, main_of, say

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venvs"
UV = "uv==0.13.9"
REQUIREMENTS = {
    "web": ROOT / "requirements.txt",
    "trainer": ROOT / "models_offline" / "requirements.txt",
    "tests": ROOT / "tests" / "requirements.txt",
}
LOG_LINES = 25

_uv_lock = threading.Lock()
_running: list[subprocess.Popen[bytes]] = []


def python_of(name: str) -> str:
    """The interpreter of an environment."""
    return str(FOLDER / name / "bin" / "python")


def ensure(name: str) -> None:
    """Makes the environment `name` or brings it up to date. Raises Failed with the reason."""
    if _is_current(name):
        say(f"{name} environment: up to date")
        return
    with _locked(name):
        if _is_current(name):
            return
        say(f"{name} environment: installing …")
        began = time.monotonic()
        _install(name)
        (FOLDER / name / "nova-stamp").write_text(_stamp(name))
        say(f"{name} environment: installed in {time.monotonic() - began:.0f} s")


def ensure_all(names: list[str]) -> None:
    """Several environments side by side. Raises Failed with the first reason."""
    installs = [Background(ensure, name) for name in names]
    for install in installs:
        install.wait()


class Background:
    """An installation, such as `ensure("web")`, while the caller does something else."""

    def __init__(self, install: Callable[..., object], *arguments: object) -> None:
        self._error: Failed | None = None
        work = partial(install, *arguments)
        self._thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self._thread.start()

    def _work(self, install: Callable[[], object]) -> None:
        try:
            install()
        except Failed as error:
            self._error = error

    def wait(self) -> None:
        """Returns when all is installed; raises Failed if it could not be."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.2)
        if self._error is not None:
            raise self._error


def _stamp(name: str) -> str:
    described = f"{sys.version_info[:2]}\n{REQUIREMENTS[name].read_text()}"
    return hashlib.sha256(described.encode()).hexdigest()


def _is_current(name: str) -> bool:
    stamp = FOLDER / name / "nova-stamp"
    return (
        stamp.exists() and stamp.read_text() == _stamp(name) and os.access(python_of(name), os.X_OK)
    )


@contextmanager
def _locked(name: str) -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _install(name: str) -> None:
    if name == "trainer":
        _find_openmp()
    if _fits_this_python(name):
        (FOLDER / name / "nova-stamp").unlink(missing_ok=True)
    else:
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    uv = _uv()
    if uv is not None:
        try:
            _install_with_uv(uv, name)
            return
        except Failed as error:
            say(f"{name} environment: uv failed, trying plain pip\n{error}")
            shutil.rmtree(FOLDER / name, ignore_errors=True)
    _install_with_pip(name)


def _fits_this_python(name: str) -> bool:
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return os.access(python_of(name), os.X_OK) and (FOLDER / name / "lib" / minor).is_dir()


def _install_with_uv(uv: str, name: str) -> None:
    if not os.access(python_of(name), os.X_OK):
        _logged(name, [uv, "venv", "-q", "--python", sys.executable, str(FOLDER / name)])
    command = [uv, "pip", "sync", "-q", "--python", python_of(name), str(REQUIREMENTS[name])]
    _logged(name, command)


def _install_with_pip(name: str) -> None:
    _plain_environment(name)
    command = [python_of(name), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS[name])]
    _logged(name, [*command, "--disable-pip-version-check"])


def _uv() -> str | None:
    """uv from an environment of its own (many times faster than pip), or None without it."""
    path = FOLDER / "bootstrap" / "bin" / "uv"
    with _uv_lock, _locked("bootstrap"):
        if _runs([str(path), "--version"]):
            return str(path)
        shutil.rmtree(FOLDER / "bootstrap", ignore_errors=True)
        _plain_environment("bootstrap")
        try:
            command = [python_of("bootstrap"), "-m", "pip", "install", "-q", UV]
            _logged("bootstrap", [*command, "--disable-pip-version-check"])
        except Failed as error:
            say(f"uv cannot be installed, plain pip has to do\n{error}")
            return None
    return str(path)


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _plain_environment(name: str) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        _install_venv_module()
    _logged(name, [sys.executable, "-m", "venv", "--clear", str(FOLDER / name)])


def _install_venv_module() -> None:
    """Debian ships Python without ensurepip; the rest is one package away."""
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not install_debian_packages([package]):
        raise Failed(f"This Python has no venv module. Install it: sudo apt-get install {package}")


def _find_openmp() -> None:
    """LightGBM's wheel takes GCC's OpenMP from the system; the other models do without."""
    if sys.platform != "linux" or find_library("gomp") or install_debian_packages(["libgomp1"]):
        return
    say("trainer environment: no libgomp (Debian: libgomp1), so LightGBM will be left out")


def install_debian_packages(packages: list[str]) -> bool:
    """Installs system packages where we may (Debian, root); False where we may not or it fails."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    say(f"system packages: installing {' '.join(packages)} …")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    FOLDER.mkdir(exist_ok=True)
    try:
        _logged("system", [apt, "update", "-q"], quiet)
        install = [apt, "install", "-y", "-q", "--no-install-recommends", *packages]
        _logged("system", install, quiet)
    except Failed as error:
        say(f"system packages: {error}")
        return False
    return True


def _logged(name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    """Runs a step with its output in `.venvs/NAME.log`; raises Failed with the end of it."""
    log = FOLDER / f"{name}.log"
    with log.open("wb") as output:
        step = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment or clean_environment(),
        )
    _running.append(step)
    code = step.wait()
    _running.remove(step)
    if code != 0:
        tail = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        raise Failed("\n".join([f"failed: {' '.join(command)}", *tail]))


@atexit.register
def abandon() -> None:
    """Ends the installs that are under way; they are made anew the next time."""
    for step in list(_running):
        step.terminate()


def clean_environment() -> dict[str, str]:
    """Ours, less what would make pip or uv work on another environment. Where Python may not write
    bytecode beside sources it keeps it with the environments: without any, every process would
    compile anew all that it imports."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "UV_PYTHON")
    }
    defaults = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1"}
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        defaults["PYTHONPYCACHEPREFIX"] = str(FOLDER / "bytecode")
    if "PIP_INDEX_URL" in kept:
        defaults["UV_DEFAULT_INDEX"] = kept["PIP_INDEX_URL"]
    return defaults | kept


if __name__ == "__main__":
    main_of(lambda: ensure_all(sys.argv[1:]))
