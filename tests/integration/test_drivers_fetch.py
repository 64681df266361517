"""`flask drivers fetch` against answers in the shape of the public APIs, on a server of our own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from dashboard.cli import app
from tests import services
from tests.ingesting import load, rows
from tests.local_http import Handler, Server, answering
from warehouse.connectors.web import SourceError, Web

Answer = Callable[[str, dict[str, str]], Any]
SETTINGS = ("NOVA_SGS_URL", "NOVA_PTAX_URL", "NOVA_SIDRA_URL", "NOVA_OPEN_METEO_URL")
SITES = "site,uf,kind,latitude,longitude\nCD-SP,SP,depot,-23.5,-46.6\nT-1,RJ,tower,-22.9,-43.2\n"
DAY = "%d/%m/%Y"


class Api(Server):
    """Answers with what `answer(path, query)` gives: bytes, a status, or what becomes JSON."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(_Handler)
        self.answer, self.asked = answer, list[str]()


class _Handler(Handler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append(self.path)
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        given = server.answer(parts.path, query)
        self.send_response(given if isinstance(given, int) else 200)
        self.end_headers()
        for part in given if isinstance(given, Iterator) else [given]:
            self.wfile.write(part if isinstance(part, bytes) else json.dumps(part).encode())
            self.wfile.flush()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Api]]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(answering(Api(answer)))


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are asked for; none is made."""
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic, time=time.time)
    monkeypatch.setattr("warehouse.connectors.web.time", clock)
    return waited


@pytest.fixture
def fetch(
    nova: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Api, str], Result]:
    """`fetch(api, arguments)` with every source at `api`, into the folder `out`."""
    monkeypatch.setenv("NOVA_HOME", str(tmp_path / "home"))

    def run(api: Api, arguments: str = "") -> Result:
        for setting in SETTINGS:
            monkeypatch.setenv(setting, api.url)
        services.forget_settings()
        return CliRunner().invoke(
            app.cli, ["drivers", "fetch", str(tmp_path / "out"), *arguments.split()]
        )

    return run


def brazil(path: str, query: dict[str, str]) -> Any:
    """Every source, over any days."""
    if path.startswith("/dados/serie/bcdata.sgs."):
        return _sgs(int(path.split(".")[2].split("/")[0]), query)
    if path.endswith("(dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"):
        day = datetime.strptime(query["@dataInicial"], "'%m-%d-%Y'").date()
        one = {"cotacaoVenda": 5.4321, "dataHoraCotacao": f"{day} 13:09:31.123"}
        return {"@odata.context": "https://was-assigned", "value": [one]}
    if path.startswith("/values/t/"):
        table = path.split("/")[3]
        title = "Mês (Código)" if table == "1737" else "Trimestre Móvel (Código)"
        header = {"NC": "Nível Territorial (Código)", "V": "Valor", "D3C": title, "D3N": "Mês"}
        months = (("202312", "9.9"), ("202401", "4.51"), ("202402", "..."))
        return [header, *({"NC": "1", "V": value, "D3C": month} for month, value in months)]
    if path == "/v1/archive":
        names = query["daily"].split(",")
        daily = {name: [place + 0.5, None] for place, name in enumerate(names)}
        first = date.fromisoformat(query["start_date"])
        days = [first.isoformat(), (first + timedelta(days=1)).isoformat()]
        return {"latitude": float(query["latitude"]), "daily": {"time": days, **daily}}
    return 404


def _sgs(series: int, query: dict[str, str]) -> Any:
    first, last = (datetime.strptime(query[name], DAY) for name in ("dataInicial", "dataFinal"))
    if last - first > timedelta(days=3653):
        return 406
    if series == 189:
        return 404
    return [
        {"data": first.strftime(DAY), "valor": "11.75"},
        {"data": last.strftime(DAY), "valor": ""},
    ]


def test_the_files_are_loaded_as_any_other(
    fetch: Any, serve: Any, engine: Engine, tmp_path: Path
) -> None:
    sites = tmp_path / "sites.csv"
    sites.write_text(SITES)
    load(sites, engine)
    api = serve(brazil)

    done = fetch(api, "--from 2024-01-01 --to 2024-01-31")

    assert done.exit_code == 0, done.output
    assert load(tmp_path / "out", engine).ok
    assert rows(
        engine,
        "SELECT driver, uf, date, value FROM core.driver WHERE driver <> 'holiday' ORDER BY 1, 2",
    ) == [
        ("humidity_pct", "RJ", date(2024, 1, 1), 2.5),
        ("humidity_pct", "SP", date(2024, 1, 1), 2.5),
        ("ipca_12_months_pct", "", date(2024, 1, 1), 4.51),
        ("ipca_month_pct", "", date(2024, 1, 1), 11.75),
        ("rain_mm", "RJ", date(2024, 1, 1), 0.5),
        ("rain_mm", "SP", date(2024, 1, 1), 0.5),
        ("selic_pct", "", date(2024, 1, 1), 11.75),
        ("temperature_c", "RJ", date(2024, 1, 1), 1.5),
        ("temperature_c", "SP", date(2024, 1, 1), 1.5),
        ("unemployment_pct", "", date(2024, 1, 1), 4.51),
        ("usd_brl", "", date(2024, 1, 1), 5.4321),
        ("wind_gust_kmh", "RJ", date(2024, 1, 1), 3.5),
        ("wind_gust_kmh", "SP", date(2024, 1, 1), 3.5),
    ]
    on = "SELECT uf, date FROM core.driver WHERE driver = 'holiday' AND value = 1 ORDER BY 1, 2"
    assert rows(engine, on) == [("RJ", date(2024, 1, 1)), ("SP", date(2024, 1, 1))]
    places = [parse_qs(urlsplit(asked).query) for asked in api.asked if "/v1/archive" in asked]
    capital = rows(engine, "SELECT round(latitude::numeric, 4)::text FROM core.uf WHERE uf = 'RJ'")
    assert [place["latitude"] for place in places] == [[capital[0][0]], ["-23.5000"]]


def test_answers_are_kept_until_they_are_wanted_fresh(fetch: Any, serve: Any) -> None:
    api = serve(brazil)
    arguments = "--uf SP --from 2024-01-01 --to 2024-01-31"
    assert fetch(api, arguments).exit_code == 0
    asked = len(api.asked)
    assert asked == 3 + 1 + 2 + 1

    assert fetch(api, arguments).exit_code == 0
    assert len(api.asked) == asked + 1, "only the window without values is asked again"
    assert fetch(api, f"{arguments} --fresh").exit_code == 0
    assert len(api.asked) == 2 * asked + 1


def test_more_than_ten_years_are_asked_in_parts(fetch: Any, serve: Any, tmp_path: Path) -> None:
    done = fetch(serve(brazil), "--source sgs --from 2003-06-01 --to 2024-01-31")

    assert done.exit_code == 0, done.output
    lines = (tmp_path / "out" / "drivers_sgs.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines if "selic" in line] == [
        "2003-06-01", "2005-01-01", "2010-01-01", "2015-01-01", "2020-01-01",
    ]  # fmt: skip


def test_a_source_that_fails_leaves_the_others_and_its_last_file(
    fetch: Any, serve: Any, tmp_path: Path
) -> None:
    arguments = "--uf SP --from 2024-01-01 --to 2024-01-31"
    assert fetch(serve(brazil), arguments).exit_code == 0
    ibge, dollar = (tmp_path / "out" / f"drivers_{name}.csv" for name in ("sidra", "ptax"))
    good = ibge.read_bytes()
    dollar.unlink()
    api = serve(lambda path, query: 503 if path.startswith("/values") else brazil(path, query))

    done = fetch(api, arguments)

    assert done.exit_code == 1
    said = next(line for line in done.stderr.splitlines() if line.startswith("sidra"))
    for part in ("IBGE SIDRA", "answers 503", "4 times", "NOVA_SIDRA_URL", "stays"):
        assert part in said
    assert ibge.read_bytes() == good
    assert dollar.exists()
    assert sum(path.startswith("/values") for path in api.asked) == 4


def test_a_source_of_another_shape_leaves_the_others(
    fetch: Any, serve: Any, tmp_path: Path
) -> None:
    api = serve(lambda path, query: [{}] if path.startswith("/values") else brazil(path, query))
    done = fetch(api, "--uf SP --from 2024-01-01 --to 2024-01-31")
    assert done.exit_code == 1 and "documentation" in done.stderr
    assert (tmp_path / "out" / "drivers_open_meteo.csv").exists()


def test_what_cannot_be_asked_is_named(fetch: Any, serve: Any) -> None:
    api = serve(brazil)
    for arguments, said in (
        ("--from 2024-02-01 --to 2024-01-01", "--from is after --to"),
        ("--from 01/02/2024", "--from"),
        ("--uf XX", "--uf"),
        ("--source inmet", "--source"),
    ):
        done = fetch(api, arguments)
        assert done.exit_code != 0
        assert said in done.stderr
    assert api.asked == []


def drip() -> Iterator[bytes]:
    for _ in range(20):
        yield b" "
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"<html>maintenance</html>", "documentation"),
        ({"values": []}, "documentation"),
        (400, "answers 400"),
        (429, "answers 429"),
        (drip, "takes more than"),
    ],
)
def test_bad_answers_are_named_and_not_kept(
    serve: Any, tmp_path: Path, given: Any, said: str
) -> None:
    api = serve(lambda *_: given() if callable(given) else given)
    web = Web("PTAX", api.url, "NOVA_PTAX_URL", tmp_path, timeout=0.3, attempts=2)
    with pytest.raises(SourceError, match=said):
        web.get("/", {}, lambda answer: answer["value"])
    assert list(tmp_path.iterdir()) == []


def test_a_hiccup_is_waited_for(serve: Any, tmp_path: Path, waits: list[float]) -> None:
    given = iter([503, 429, {"value": 7}])
    web = Web("PTAX", serve(lambda *_: next(given)).url, "NOVA_PTAX_URL", tmp_path)
    assert web.get("/", {}, lambda answer: answer["value"]) == 7
    assert waits == [1.0, 60.0]


def test_nothing_that_listens_is_said(tmp_path: Path) -> None:
    web = Web("PTAX", "http://127.0.0.1:9", "NOVA_PTAX_URL", tmp_path, attempts=1)
    with pytest.raises(SourceError, match=r"PTAX .* cannot be reached.*NOVA_PTAX_URL"):
        web.get("/", {}, dict)
