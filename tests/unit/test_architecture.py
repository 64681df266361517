"""The house keeps its floors: who imports whom, where SQL lives, what the web side never loads.

The table is that of ARCHITECTURE.md; a room that is not built yet has nothing to check.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import ROOT

ROOMS = (
    "api auth callbacks config dashboard domain layouts migrations models_offline scripts tests"
    " warehouse wsgi"
).split()
MAY_IMPORT = {
    "domain": set(),
    "config": set(),
    "warehouse": {"domain", "config"},
    "models_offline": {"domain", "config", "warehouse.queries.training", "warehouse.db"},
    "auth": {"warehouse", "domain", "config"},
    "api": {"auth", "warehouse", "domain", "config"},
    "layouts": {"domain"},
    "callbacks": {"auth", "layouts", "warehouse", "domain", "config"},
    "dashboard": {"callbacks", "layouts", "api", "auth", "warehouse", "domain", "config"},
    "wsgi": {"dashboard"},
}
LEARNING = {
    "tensorflow", "keras", "prophet", "statsforecast", "statsmodels", "sklearn", "cmdstanpy",
    "utilsforecast", "hierarchicalforecast", "dask", "torch",
}  # fmt: skip
BATCH = {"pandas", "pyarrow", "numpy", "scipy"}
OPTIONAL = {"opentelemetry"}
WEB = {"flask", "dash", "werkzeug", "flask_login", "flask_caching", "dash_ag_grid", "plotly"}
FORBIDDEN_LIBRARIES = {
    "domain": WEB | LEARNING | {"sqlalchemy", "psycopg2", "redis"},
    "warehouse": (WEB | LEARNING) - {"flask_caching"},
    "models_offline": WEB,
    "auth": LEARNING | {"plotly"},
    "api": LEARNING | {"dash", "plotly"},
    "layouts": LEARNING | {"flask", "sqlalchemy", "psycopg2", "redis", "flask_login"},
    "callbacks": LEARNING | {"sqlalchemy", "psycopg2"},
    "dashboard": LEARNING,
}
SQL = {"select", "insert", "update", "delete", "text", "exec_driver_sql"}
SQL_ROOMS = {"warehouse", "migrations", "tests"}
IMPORTED = "import sys, {}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"


def sources(room: str) -> list[Path]:
    folder = ROOT / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else list(ROOT.glob(f"{room}.py"))


def imports(source: Path) -> Iterator[str]:
    """Dotted names of everything that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source} uses a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in allowed)


def sql_names(source: Path) -> set[str]:
    """The SQL words that the file takes from SQLAlchemy, and its raw statements."""
    tree = ast.parse(source.read_text())
    taken = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sqlalchemy")
        for alias in node.names
    }
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return (taken & SQL) | (called & {"exec_driver_sql"})


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_from_the_floors_below(room: str) -> None:
    wrong = [
        f"{source.relative_to(ROOT)} imports {name}"
        for source in sources(room)
        for name in imports(source)
        if name.split(".")[0] in ROOMS and not is_within(name, MAY_IMPORT[room] | {room})
    ]
    assert wrong == []


@pytest.mark.parametrize("room", FORBIDDEN_LIBRARIES)
def test_a_room_leaves_the_libraries_of_others_alone(room: str) -> None:
    wrong = [
        f"{source.relative_to(ROOT)} imports {name}"
        for source in sources(room)
        for name in imports(source)
        if name.split(".")[0] in FORBIDDEN_LIBRARIES[room]
    ]
    assert wrong == []


def test_layouts_stay_away_from_the_heavy_half_of_plotly() -> None:
    wrong = [s for s in sources("layouts") for n in imports(s) if n.startswith("plotly.express")]
    assert wrong == []


def test_sql_lives_in_the_warehouse_alone() -> None:
    wrong = {
        str(source.relative_to(ROOT)): sql_names(source)
        for room in set(ROOMS) - SQL_ROOMS
        for source in sources(room)
        if sql_names(source)
    }
    assert wrong == {}


def web_python() -> str:
    python = ROOT / ".venvs" / "web" / "bin" / "python"
    if not python.exists():
        pytest.skip("the web environment is not installed: run `make test`")
    return str(python)


def test_the_web_environment_has_no_machine_learning() -> None:
    program = "import sys, importlib.util as u; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    done = subprocess.run(
        [web_python(), "-c", program, *sorted(LEARNING)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_serving_loads_no_machine_learning_and_nothing_of_the_batch_side(nova: str) -> None:
    assert (LEARNING | BATCH | OPTIONAL).isdisjoint(imported_with("wsgi"))


def test_a_check_of_a_file_does_not_wait_for_what_derives() -> None:
    assert {"pandas", "scipy"}.isdisjoint(imported_with("dashboard.cli, warehouse.pipeline.jobs"))


def imported_with(modules: str) -> list[str]:
    """What a process of the web environment has imported once it has these."""
    command = [web_python(), "-c", IMPORTED.format(modules)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_trainer_has_neither_flask_nor_dash() -> None:
    folders = list((ROOT / ".venvs" / "trainer" / "lib").glob("python*/site-packages"))
    if not folders:
        pytest.skip("the trainer's environment is not installed: run `make test`")
    assert [name for name in WEB - {"plotly"} if (folders[0] / name).exists()] == []
