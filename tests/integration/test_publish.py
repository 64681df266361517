"""Publishing: a good bundle is shown at once and as a whole, a bad one changes nothing."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from domain.errors import BadBundle, NotFound, Unavailable
from tests import factories
from warehouse.db import make_engine
from warehouse.pipeline import derive, publish
from warehouse.pipeline.demo_rows import remove_demo_rows
from warehouse.pipeline.views import WRITE_LOCK
from warehouse.queries import clustering, kpis
from warehouse.queries.runs import runs, training_needed

BY = "tests"
TABLE_OF = {
    "forecast.parquet": "forecast",
    "backtest.parquet": "backtest",
    "forecast_accuracy.parquet": "forecast_accuracy",
    "series_profile.parquet": "series_profile",
    "hierarchy.parquet": "level_forecast",
    "hierarchy_accuracy.parquet": "level_accuracy",
    "series_diagnostics.parquet": "series_diagnostics",
}


@pytest.fixture
def network(engine: Engine) -> factories.Network:
    return filled(engine)


def filled(engine: Engine) -> factories.Network:
    """A small network with demand and stock."""
    network = factories.make_network(engine)
    factories.add_demand(engine, network)
    factories.add_stock(engine, network, {("CABO-01", "DEP-SP"): 300.0})
    factories.refresh_views(engine)
    return network


@pytest.fixture(scope="module")
def served(module_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A database that has a published run already."""
    filled(module_engine)
    bundle = factories.make_bundle(tmp_path_factory.mktemp("bundles"), module_engine)
    publish.publish_bundle(bundle, engine=module_engine, published_by=BY)
    return module_engine


@pytest.fixture
def bundle(engine: Engine, network: factories.Network, tmp_path: Path) -> Path:
    return factories.make_bundle(tmp_path, engine)


def state(engine: Engine) -> dict[str, object]:
    """Everything that publish may change, as far as a reader could tell."""
    counted = (*TABLE_OF.values(), "policy", "alert")
    with engine.connect() as connection:
        rows = {
            name: connection.execute(text(f"SELECT count(*) FROM analytics.{name}")).scalar()
            for name in counted
        }
        rows["runs"] = connection.execute(text("SELECT count(*) FROM analytics.run")).scalar()
        rows["published"] = connection.execute(
            text("SELECT run_id, previous_run_id FROM analytics.published")
        ).all()
        rows["tables"] = partitions(engine)
    return rows


def partitions(engine: Engine) -> list[str]:
    sql = r"""
        SELECT tablename FROM pg_tables
        WHERE schemaname = 'analytics' AND tablename ~ '_r\d+$' ORDER BY 1
    """
    with engine.connect() as connection:
        return list(connection.execute(text(sql)).scalars())


def scalar(engine: Engine, sql: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(sql)).scalar()


def test_a_good_bundle_is_loaded_whole_and_shown(engine: Engine, bundle: Path):
    said: list[str] = []
    run_id = publish.publish_bundle(bundle, engine=engine, published_by=BY, on_progress=said.append)

    files = json.loads((bundle / "manifest.json").read_text())["files"]
    assert set(files) == set(TABLE_OF)
    for file, table in TABLE_OF.items():
        count = scalar(engine, f"SELECT count(*) FROM analytics.{table} WHERE run_id = {run_id}")
        assert count == files[file]["rows"] > 0
    assert scalar(engine, "SELECT run_id FROM analytics.published") == run_id
    only = runs(engine)[0]
    assert (only.state, only.is_published, only.data_to) == ("ready", True, factories.LAST_DAY)
    assert not training_needed(engine)
    assert f"run {run_id} is published" in said


def test_an_older_bundle_without_levels_is_published_as_it_is(
    engine: Engine, network, tmp_path: Path
):
    older = factories.make_bundle(tmp_path, engine, older=True)
    run_id = publish.publish_bundle(older, engine=engine, published_by=BY)
    assert scalar(engine, "SELECT run_id FROM analytics.published") == run_id
    assert scalar(engine, "SELECT count(*) FROM analytics.level_forecast") == 0
    assert scalar(engine, "SELECT count(*) FROM analytics.forecast") == 3 * 4 * 3 * 30


def test_levels_are_dropped_with_their_run(engine: Engine, bundle: Path):
    run_id = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    publish._forget(engine, run_id)
    assert scalar(engine, "SELECT count(*) FROM analytics.level_forecast") == 0
    assert not [name for name in partitions(engine) if name.startswith("level")]


def test_a_site_that_moved_to_another_uf_after_training_is_found(engine: Engine, bundle: Path):
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.site SET uf = 'RJ' WHERE site = 'DEP-SP'"))
    wrong = (
        r"level item_uf, 'BAT-02' in RJ on 2025-06-30: is .*, but its depots sum to .*train again"
    )
    with pytest.raises(BadBundle, match=wrong):
        publish.publish_bundle(bundle, engine=engine, published_by=BY)


def test_partitions_have_the_indexes_of_their_parents(engine: Engine, bundle: Path):
    run_id = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    found = scalar(
        engine,
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'analytics'"
        f" AND tablename = 'forecast_r{run_id}'",
    )
    assert found == 2


def test_the_same_bundle_again_is_only_pointed_at(engine: Engine, bundle: Path, tmp_path: Path):
    first = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    other = factories.make_bundle(tmp_path, engine, name="other", scale=2.0)
    second = publish.publish_bundle(other, engine=engine, published_by=BY)
    before = partitions(engine)

    said: list[str] = []
    again = publish.publish_bundle(bundle, engine=engine, published_by=BY, on_progress=said.append)

    assert again == first != second
    assert f"already loaded as run {first}" in said
    assert partitions(engine) == before
    assert scalar(engine, "SELECT run_id FROM analytics.published") == first
    assert scalar(engine, "SELECT previous_run_id FROM analytics.published") == second


def test_new_demand_calls_for_training_and_an_order_does_not(
    engine: Engine, network: factories.Network, bundle: Path
):
    assert training_needed(engine)
    publish.publish_bundle(bundle, engine=engine, published_by=BY)
    with engine.begin() as connection:
        factories.add_load(connection, "purchase_orders")
    assert not training_needed(engine)
    with engine.begin() as connection:
        factories.add_load(connection, "demand")
    assert training_needed(engine)


def spoil(bundle: Path, how: str) -> None:
    """One way in which a bundle can be damaged or foreign."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    forecast = bundle / "forecast.parquet"
    if how == "not json":
        (bundle / "manifest.json").write_text("{")
    elif how == "deep json":
        (bundle / "manifest.json").write_text("[" * 100_000)
    elif how == "no manifest":
        (bundle / "manifest.json").unlink()
    elif how == "foreign format":
        (bundle / "manifest.json").write_text(json.dumps(manifest | {"format": "other"}))
    elif how == "newer schema":
        (bundle / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 2}))
    elif how == "no fingerprint":
        del manifest["dataset"]["fingerprint"]
        (bundle / "manifest.json").write_text(json.dumps(manifest))
    elif how == "missing file":
        forecast.unlink()
    elif how == "flipped byte":
        content = bytearray(forecast.read_bytes())
        content[len(content) // 2] ^= 1
        forecast.write_bytes(content)
    elif how == "truncated":
        forecast.write_bytes(forecast.read_bytes()[:-100])
    elif how == "wrong count":
        manifest["files"]["forecast.parquet"]["rows"] += 1
        (bundle / "manifest.json").write_text(json.dumps(manifest))
    elif how == "not parquet":
        forecast.write_bytes(b"sku;site")
        manifest["files"]["forecast.parquet"]["sha256"] = hashlib.sha256(b"sku;site").hexdigest()
        (bundle / "manifest.json").write_text(json.dumps(manifest))
    else:
        file, change = CHANGES[how]
        factories.rewrite(bundle, file, change)


def _set(column: str, value: object):
    def change(frame):
        frame[column] = frame[column].astype(object) if isinstance(value, str) else frame[column]
        frame.loc[5, column] = value
        return frame

    return change


def _more_of(sku: str, area: str):
    """One forecast of one level a thousandth too high."""

    def change(frame):
        one = frame.index[(frame["sku"] == sku) & (frame["area"] == area)][3]
        frame.loc[one, ["mean"]] *= 1.001
        return frame

    return change


CHANGES = {
    "level off": ("hierarchy.parquet", _more_of("CABO-01", "SP")),
    "level gone": ("hierarchy.parquet", lambda frame: frame[frame["area"] != "NE"]),
    "foreign level": ("hierarchy.parquet", _set("level", "continent")),
    "level crossed": ("hierarchy.parquet", _set("p975", 0.0)),
    "level of nothing": ("hierarchy_accuracy.parquet", _set("sku", "OTHER-SKU")),
    "quantiles crossed": ("forecast.parquet", _set("p10", 1e9)),
    "negative": ("backtest.parquet", _set("p10", -1.0)),
    "infinite": ("forecast.parquet", _set("mean", float("inf"))),
    "null mean": ("forecast.parquet", _set("mean", None)),
    "foreign sku": ("forecast_accuracy.parquet", _set("sku", "OTHER-SKU")),
    "foreign site": ("series_profile.parquet", _set("site", "OTHER-SITE")),
    "unknown class": ("series_profile.parquet", _set("demand_class", "odd")),
    "no parts": ("series_diagnostics.parquet", _set("decomposition", "{}")),
    "uneven parts": (
        "series_diagnostics.parquet",
        lambda frame: frame.assign(
            decomposition=frame["decomposition"].str.replace('"rest": [', '"rest": [0.0, ')
        ),
    ),
    "no test": ("series_diagnostics.parquet", _set("residuals", "[]")),
    "bad weights": ("series_profile.parquet", _set("weights", '{"naive": 0.2}')),
    "column gone": ("forecast.parquet", lambda frame: frame.drop(columns="p50")),
    "column too many": ("forecast.parquet", lambda frame: frame.assign(extra=1)),
    "text for number": ("forecast.parquet", lambda frame: frame.assign(mean="1")),
    "short horizon": ("forecast.parquet", lambda frame: frame.iloc[:-1]),
    "key twice": (
        "backtest.parquet",
        lambda frame: frame.iloc[[0, *range(len(frame))]].reset_index(drop=True),
    ),
}


@pytest.mark.fault
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("not json", "manifest.json: is not JSON"),
        ("deep json", "manifest.json: is not JSON"),
        ("no manifest", "manifest.json: cannot be read"),
        ("foreign format", "format is 'other'"),
        ("newer schema", "schema_version is 2"),
        ("no fingerprint", "dataset.fingerprint"),
        ("missing file", "forecast.parquet: is missing"),
        ("flipped byte", "forecast.parquet: is damaged"),
        ("truncated", "forecast.parquet: is damaged"),
        ("wrong count", "the manifest says 1081"),
        ("not parquet", "is not a Parquet file"),
        ("quantiles crossed", "p10 is above p50"),
        ("negative", "p10 is below 0"),
        ("infinite", "mean is not finite"),
        ("null mean", "column 'mean' has an empty value"),
        ("foreign sku", "sku 'OTHER-SKU'"),
        ("foreign site", "site 'OTHER-SITE'"),
        ("unknown class", "demand_class"),
        ("no parts", r"sku '.*', site '.*': decomposition.frequency: Field required"),
        ("uneven parts", "decomposition: Value error, its parts are not equally long"),
        ("no test", "residuals: Input should be an object"),
        ("bad weights", "do not sum to 1"),
        ("column gone", "column 'p50' is missing"),
        ("column too many", "column 'extra' is not known"),
        ("text for number", "column 'mean' is string"),
        ("short horizon", "the ensemble has 359 rows"),
        (
            "level off",
            "hierarchy.parquet: level item_uf, 'CABO-01' in SP on 2025-07-03: is .* depots sum to",
        ),
        ("level gone", "level item_region, 'BAT-02' in NE on 2025-06-30: is missing"),
        ("foreign level", "level is not a known one"),
        ("level crossed", "p90 is above p975"),
        ("level of nothing", "sku 'OTHER-SKU'"),
        ("key twice", "backtest.parquet: a key comes twice"),
    ],
)
def test_a_damaged_or_foreign_bundle_is_refused_and_changes_nothing(
    served: Engine, tmp_path: Path, how: str, reason: str
):
    before = state(served)
    bad = factories.make_bundle(tmp_path, served, name="bad", scale=2.0)
    spoil(bad, how)
    with pytest.raises(BadBundle, match=reason):
        publish.publish_bundle(bad, engine=served, published_by=BY)
    assert state(served) == before


NOT_FINITE = '[{"feature": "load_pct", "value": 70.0, "typical": NaN, "effect": 1.5}]'


@pytest.mark.parametrize(
    ("file", "column", "value", "reason"),
    [
        ("failure_risk", "probability", 1.5, "equipment 'BAT-.*': probability is not from 0 to 1"),
        ("failure_risk", "reasons", "{}", "reasons: Input should be a valid array"),
        ("failure_risk", "reasons", NOT_FINITE, "reasons.0.typical: Input should be a finite"),
        ("cluster_member", "features", '{"load_pct": NaN}', "features.load_pct: .* a finite"),
        ("cluster", "name", '{"fr": "x"}', "number '2': name.fr"),
        ("cluster_member", "family", "other", "family is not a known one"),
        ("cluster_member", "site", "OTHER-SITE", "site 'OTHER-SITE'"),
        ("parts_demand", "p10", 1e9, "p10 is above p50"),
    ],
)
def test_what_is_said_of_machines_is_checked_too(
    engine: Engine,
    network: factories.Network,
    tmp_path: Path,
    file: str,
    column: str,
    value: object,
    reason: str,
):
    factories.add_machines(engine, network)
    bad = factories.make_bundle(tmp_path, engine)

    def change(frame):
        frame.loc[frame.index[1], column] = value
        numbers = [name for name in frame if name.endswith("_number")]
        return frame.reset_index(drop=True).astype(dict.fromkeys(numbers, "Int32"))

    factories.rewrite(bad, f"{file}.parquet", change)
    with pytest.raises(BadBundle, match=reason):
        publish.publish_bundle(bad, engine=engine, published_by=BY)
    assert scalar(engine, "SELECT count(*) FROM analytics.published") == 0


def test_machines_are_published_and_go_with_their_run(
    nova: str, engine: Engine, network: factories.Network, tmp_path: Path
):
    plain = factories.make_bundle(tmp_path, engine, name="plain")
    publish.publish_bundle(plain, engine=engine, published_by=BY)
    assert clustering.summary(family="tower-performance").reason == "not_loaded"
    factories.add_machines(engine, network)
    assert clustering.risk_summary().reason == "not_in_run"
    bundle = factories.make_bundle(tmp_path, engine, name="machines", scale=2.0)
    run_id = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    assert clustering.risk_summary().machines == 6
    names = ("cluster", "cluster_member", "failure_risk", "parts_demand", "tower_trend")
    assert {f"{name}_r{run_id}" for name in names} <= set(partitions(engine))
    publish._forget(engine, run_id)
    assert not {f"{name}_r{run_id}" for name in names} & set(partitions(engine))


def test_readers_see_one_run_or_the_next_and_nothing_between(
    nova: str, engine: Engine, bundle: Path, tmp_path: Path
):
    publish.publish_bundle(bundle, engine=engine, published_by=BY)
    other = factories.make_bundle(tmp_path, engine, name="other", scale=3.0)
    seen: set[tuple[object, ...]] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(_shown())

    reader = threading.Thread(target=read)
    before = _shown()
    reader.start()
    try:
        publish.publish_bundle(other, engine=engine, published_by=BY)
    finally:
        done.set()
        reader.join()
    after = _shown()
    assert before != after
    assert seen <= {before, after}


def _shown() -> tuple[object, ...]:
    kpi = next(one for one in kpis.headline() if one.key == "forecast_value")
    return kpi.receipt.run_id, round(kpi.value or 0, 3)


def test_rolling_back_shows_the_older_run_again(
    nova: str, engine: Engine, bundle: Path, tmp_path: Path
):
    first = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    before = _shown()
    other = factories.make_bundle(tmp_path, engine, name="other", scale=3.0)
    second = publish.publish_bundle(other, engine=engine, published_by=BY)
    assert _shown() != before

    publish.point_at(first, engine=engine, published_by=BY)
    assert _shown() == before
    with pytest.raises(NotFound, match="no such run"):
        publish.point_at(second + 99, engine=engine, published_by=BY)


def test_five_runs_are_kept_and_the_published_one_always(
    engine: Engine, bundle: Path, tmp_path: Path
):
    first = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    for number in range(5):
        other = factories.make_bundle(tmp_path, engine, name=f"n{number}", scale=2.0 + number)
        publish.publish_bundle(other, engine=engine, published_by=BY)
    states = {one.run_id: one.state for one in runs(engine)}
    assert states[first] == "dropped"
    assert sorted(states.values()) == ["dropped"] + ["ready"] * 5
    assert not any(name.endswith(f"_r{first}") for name in partitions(engine))
    with pytest.raises(NotFound, match="dropped"):
        publish.point_at(first, engine=engine, published_by=BY)

    assert publish.publish_bundle(bundle, engine=engine, published_by=BY) == first
    assert scalar(engine, "SELECT run_id FROM analytics.published") == first


@pytest.mark.fault
def test_one_publish_at_a_time(engine: Engine, bundle: Path, tmp_path: Path, database_url: str):
    hasty = make_engine(database_url, lock_timeout_ms=200)
    bundles = [bundle, factories.make_bundle(tmp_path, engine, name="other", scale=2.0)]
    failures: list[BaseException] = []

    def go(path: Path) -> None:
        try:
            publish.publish_bundle(path, engine=hasty, published_by=BY)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=go, args=(path,)) for path in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hasty.dispose()
    assert not failures
    assert [one.state for one in runs(engine)] == ["ready", "ready"]


class _Cancelled(Exception):
    """Somebody asked to leave off."""


def test_a_publish_behind_another_writer_may_be_cancelled_and_names_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    def cancelled(step: int) -> None:
        assert step == derive.WAITING
        raise _Cancelled

    with engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WRITE_LOCK})
        with pytest.raises(_Cancelled):
            publish.point_at(1, engine=engine, published_by=BY, on_step=cancelled)
        monkeypatch.setattr(publish, "WAIT_SECONDS", 0)
        job = "INSERT INTO support.job (kind, state, object, actor, started_at)"
        for kind, what in (("derive", "override:7"), ("publish", "run:3")):
            other.execute(text(f"{job} VALUES ('{kind}', 'running', '{what}', '{kind}r', now())"))
            other.commit()
            named = {"derive": "derivation"}.get(kind, kind)
            with pytest.raises(
                Unavailable, match=f"another {named} is running: {what}, by {kind}r"
            ):
                publish.point_at(1, engine=engine, published_by=BY)


def test_what_a_backup_still_reads_is_removed_next_time(
    engine: Engine, bundle: Path, database_url: str
):
    left = publish.publish_bundle(bundle, engine=engine, published_by=BY)
    hasty = make_engine(database_url, lock_timeout_ms=200)
    with engine.connect() as backup:
        backup.execute(text("UPDATE analytics.run SET state = 'loading'"))
        backup.commit()
        backup.execute(text(f"LOCK TABLE analytics.forecast_r{left} IN ACCESS SHARE MODE"))
        publish.clear_debris(hasty)
        with pytest.raises(Unavailable, match=f"Run {left} is still being read"):
            publish.publish_bundle(bundle, engine=hasty, published_by=BY)
    hasty.dispose()
    assert partitions(engine)
    publish.clear_debris(engine)
    assert not partitions(engine)


def test_a_run_trained_on_demo_rows_goes_with_them(engine: Engine, tmp_path: Path) -> None:
    filled(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE staging.load SET is_demo = true"))
    publish.publish_bundle(factories.make_bundle(tmp_path, engine), engine=engine, published_by=BY)
    with engine.begin() as connection:
        remove_demo_rows(connection)
        shown = connection.execute(text("SELECT count(*) FROM analytics.published")).scalar()
    publish.clear_debris(engine)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM analytics.forecast")).scalar()
    assert (shown, left) == (0, 0)
