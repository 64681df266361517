"""The command line: `train` writes a results bundle, `backtest` prints the leaderboard.

`benchmark accuracy` measures the engine on a file, `benchmark drivers` what holidays and weather
bring to daily forecasts, `benchmark levels` the engine's sums on the warehouse, and
`benchmark inventory` stock levels on a file of parts, `benchmark equipment` the risk that machines
fail on a file of readings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.clusters import EQUIPMENT, FAMILIES
from domain.errors import InvalidInput, NovaError
from models_offline.frequency import FREQUENCIES
from models_offline.models import MODELS

if TYPE_CHECKING:
    from models_offline.checkpoints import Tally
    from models_offline.dataset import Dataset
    from models_offline.network import Network
    from models_offline.training import Options, Results
    from warehouse.queries.training import TrainingSet

MOST_REASONS = 10
MOST_NAMES = 10
GUESSES = ("BR", "US", "MX", "AR", "PT", "ES", "FR", "IT", "GB", "DE", "CA", "AU", "IN", "JP", "CN")
"""Whose holidays a file of unknown origin may follow."""
FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status (2 for input that cannot be used,
    1 for a disk that cannot be written)."""
    arguments = parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except NovaError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        reason = error.strerror or type(error).__name__
        print(f"error: {reason}: {error.filename or 'a file of the run'}", file=sys.stderr)
        for note in _notes(error):
            print(note, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt as error:
        print("interrupted", *_notes(error), sep=": ", file=sys.stderr)
        return INTERRUPTED


@contextmanager
def _without_bundle() -> Iterator[None]:
    """What a training that ends before its bundle is there leaves, as a note of the error."""
    try:
        yield
    except (OSError, KeyboardInterrupt) as error:
        error.add_note("no bundle was written; started again, it goes on")
        raise


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="python -m models_offline",
        description="Trains demand forecasts from the warehouse and writes a results bundle.",
    )
    commands = root.add_subparsers(required=True, metavar="command")
    train = commands.add_parser("train", help="backtest, forecast and write a results bundle")
    _add_options(train)
    train.add_argument(
        "--out", type=Path, help="folder for the bundle (default: NOVA_HOME/bundles)"
    )
    _add_checkpoints(train)
    train.set_defaults(run=run_train)
    backtest = commands.add_parser("backtest", help="judge the models; writes nothing")
    _add_options(backtest)
    backtest.set_defaults(run=run_backtest)
    _add_benchmark(commands)
    return root


def _add_checkpoints(train: argparse.ArgumentParser) -> None:
    train.add_argument(
        "--fresh",
        action="store_true",
        help="compute everything, whatever an earlier or killed run left",
    )
    train.add_argument(
        "--incremental",
        action="store_true",
        help="let the LSTM go on from the last run's weights",
    )


def _add_benchmark(commands: Any) -> None:
    benchmark = commands.add_parser("benchmark", help="measure the engine on data of your own")
    kinds = benchmark.add_subparsers(required=True, metavar="what")
    accuracy = kinds.add_parser("accuracy", help="hold the last periods out and score all models")
    accuracy.add_argument(
        "--data", type=Path, required=True, help="CSV or CSV.gz with unique_id, ds, y"
    )
    accuracy.add_argument("--horizon", type=_positive, required=True, help="periods held out")
    accuracy.add_argument("--freq", choices=sorted(FREQUENCIES), required=True)
    accuracy.add_argument(
        "--origins", type=_positive, default=1, help="test origins, a horizon apart (default: 1)"
    )
    accuracy.add_argument(
        "--drivers", type=Path, help="CSV or CSV.gz with ds and numbers that may move daily demand"
    )
    accuracy.add_argument(
        "--country",
        type=_countries,
        default=GUESSES,
        help="whose holidays may move daily demand; of several the one that it follows best"
        f" (default: {','.join(GUESSES)})",
    )
    accuracy.add_argument("--json", type=_writable, help="file for the table as JSON")
    accuracy.add_argument("--limit", type=_positive, help="only so many series, evenly spread")
    accuracy.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes")
    accuracy.add_argument("--seed", type=_seed, default=1, help="same seed, same numbers")
    accuracy.set_defaults(run=run_benchmark)
    _add_drivers(kinds)
    levels = kinds.add_parser(
        "levels", help="sums of the depots' forecasts against MinT, on the loaded data"
    )
    _add_options(levels)
    levels.set_defaults(run=run_levels)
    _add_inventory(kinds)
    _add_equipment(kinds)


def _add_equipment(kinds: Any) -> None:
    equipment = kinds.add_parser(
        "equipment", help="failure risk from readings of machines, cross-validated"
    )
    equipment.add_argument(
        "--data", type=Path, required=True, help="CSV or CSV.gz: readings and a failure of 0 or 1"
    )
    equipment.add_argument(
        "--failure", help="column with 0 or 1 (default: the only one named failure or falha)"
    )
    equipment.add_argument("--kind", help="column with the kind of machine (default: kind or type)")
    equipment.add_argument("--json", type=_writable, help="file for the report as JSON")
    equipment.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes")
    equipment.add_argument("--seed", type=_seed, default=1, help="same seed, same numbers")
    equipment.set_defaults(run=run_equipment)


def _add_drivers(kinds: Any) -> None:
    drivers = kinds.add_parser(
        "drivers", help="what holidays, weather and events bring to daily forecasts"
    )
    drivers.add_argument(
        "--data", type=Path, required=True, help="CSV or CSV.gz with unique_id, ds, y, daily"
    )
    drivers.add_argument(
        "--drivers", type=Path, required=True, help="CSV or CSV.gz with ds and numbers, daily"
    )
    drivers.add_argument(
        "--country", type=_country, default="BR", help="whose holidays (default: BR)"
    )
    drivers.add_argument(
        "--lag", type=_whole, default=0, help="days that ds in --data is behind the calendar"
    )
    drivers.add_argument("--horizon", type=_positive, default=30, help="days held out")
    drivers.add_argument("--origins", type=_positive, default=1, help="test origins")
    drivers.add_argument("--models", type=_models, default=("ets", "theta", "ces", "lightgbm"))
    drivers.add_argument("--json", type=_writable, help="file for the table as JSON")
    drivers.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes")
    drivers.add_argument("--seed", type=_seed, default=1, help="same seed, same numbers")
    drivers.set_defaults(run=run_drivers)


def _add_inventory(kinds: Any) -> None:
    inventory = kinds.add_parser(
        "inventory", help="replay stock levels on weekly parts: value against service"
    )
    inventory.add_argument(
        "--data",
        type=Path,
        required=True,
        help="CSV or CSV.gz with sku, unit_cost_eur, lead_time_weeks, w001, w002 …",
    )
    inventory.add_argument(
        "--carparts",
        type=Path,
        help="monthly sales of car parts, one column a month (default: the file beside --data)",
    )
    inventory.add_argument(
        "--known", type=_positive, default=100, help="weeks before the replayed ones"
    )
    inventory.add_argument("--weeks", type=_positive, help="weeks to look at (default: all)")
    inventory.add_argument("--json", type=_writable, help="file for the report as JSON")
    inventory.add_argument("--seed", type=_seed, default=1, help="same seed, same numbers")
    inventory.set_defaults(run=run_inventory)


def _add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--freq", choices=sorted(FREQUENCIES), help="default: inferred from the dates"
    )
    command.add_argument(
        "--horizon", type=_positive, help="periods ahead (default: 30 days, 13 weeks, 12 months)"
    )
    command.add_argument(
        "--limit", type=_positive, help="train at most so many series, evenly over demand value"
    )
    command.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    command.add_argument("--seed", type=_seed, default=1, help="same seed, same numbers")
    command.add_argument(
        "--origins", type=_positive, default=2, help="backtest origins, a horizon apart"
    )
    command.add_argument(
        "--models",
        type=_models,
        default=tuple(MODELS),
        help=f"comma-separated, of {','.join(MODELS)}; the fallback is always there",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def _seed(text: str) -> int:
    value = _whole(text)
    if not 0 <= value < 2**30:
        raise argparse.ArgumentTypeError(f"{value} is not between 0 and 2^30")
    return value


def _writable(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{path}: there is no folder {path.parent}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{path}: cannot be written")
    return path


def _country(text: str) -> str:
    from models_offline.drivers import country_code

    try:
        return country_code(text)
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _countries(text: str) -> tuple[str, ...]:
    return tuple(_country(name) for name in text.split(",") if name.strip())


def _models(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"unknown model {', '.join(unknown) or '(none)'}; known: {', '.join(MODELS)}"
        )
    return tuple(name for name in MODELS if name in names)


def run_train(arguments: argparse.Namespace) -> int:
    """Trains, writes the bundle and prints its path as the last line of standard output."""
    from models_offline.processes import ready

    started = time.monotonic()
    with ready(arguments.jobs, arguments.models):
        bundle = _trained(arguments, started)
    print(bundle)
    return 0


def _trained(arguments: argparse.Namespace, started: float) -> Path:
    from models_offline.bundle import write
    from models_offline.checkpoints import opened
    from models_offline.network import PERIOD_DAYS, analyse
    from models_offline.training import prepared, train

    options = _options(arguments, final=True)
    training = _training_set()
    dataset = prepared(training, options)
    folder = _home() / "training"
    with opened(folder, incremental=arguments.incremental, fresh=arguments.fresh) as store:
        with _without_bundle():
            results = train(dataset, options, started, store)
            print_summary(results)
            days = results.setup.horizon * PERIOD_DAYS[results.dataset.frequency.code]
            network = analyse(training, days, options.seed, options.jobs)
            print_network(network)
            bundle = write(results, arguments.out or _home() / "bundles", network)
        store.finish(bundle.name)
    return bundle


def run_backtest(arguments: argparse.Namespace) -> int:
    """Backtests and prints the leaderboard."""
    from models_offline.processes import ready

    with ready(arguments.jobs, arguments.models):
        from models_offline.training import run

        print_summary(run(_training_set(), _options(arguments, final=False)))
    return 0


def run_benchmark(arguments: argparse.Namespace) -> int:
    """Prints the table of models, and writes it as JSON where asked."""
    from models_offline import benchmark
    from models_offline import drivers_benchmark as drivers

    frequency = FREQUENCIES[arguments.freq]
    frame, below = benchmark.read(arguments.data, frequency)
    report = benchmark.accuracy(
        frame,
        frequency,
        arguments.horizon,
        origins=arguments.origins,
        limit=arguments.limit,
        jobs=arguments.jobs,
        seed=arguments.seed,
        outside=drivers.outside(arguments.drivers, arguments.country),
    )
    report |= {"negative_periods": below}
    print(benchmark.text(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    return 0


def run_drivers(arguments: argparse.Namespace) -> int:
    """Prints what holidays and drivers bring, and writes it as JSON where asked."""
    from models_offline import benchmark
    from models_offline import drivers_benchmark as drivers

    frame, below = benchmark.read(arguments.data, FREQUENCIES["D"])
    table = drivers.measure(
        frame,
        drivers.read_drivers(arguments.drivers),
        arguments.country,
        arguments.horizon,
        models=arguments.models,
        origins=arguments.origins,
        lag=arguments.lag,
        jobs=arguments.jobs,
        seed=arguments.seed,
    )
    asked, horizon = arguments.origins, arguments.horizon
    notes = benchmark.fewer(asked, benchmark.possible(frame, horizon, asked))
    print("\n".join([*notes, *benchmark.negatives(below), drivers.text(table)]))
    if arguments.json:
        arguments.json.write_text(json.dumps(drivers.as_json(table), indent=1) + "\n")
    return 0


def run_levels(arguments: argparse.Namespace) -> int:
    """Prints the accuracy by level, and bottom-up against reconciliation."""
    from models_offline import hierarchy, reconcile
    from models_offline.training import run

    results = run(_training_set(), _options(arguments, final=False))
    if results.levels is not None and not results.levels.accuracy.empty:
        print(reconcile.text(hierarchy.table(results.levels.accuracy)))
    print(reconcile.text(reconcile.measure(results, arguments.jobs)))
    return 0


def run_inventory(arguments: argparse.Namespace) -> int:
    """Prints the curves of stock value against service, and writes them as JSON where asked."""
    from models_offline import inventory_benchmark as benchmark
    from models_offline.lumpy import Sampling

    parts = benchmark.read(arguments.data, arguments.known, arguments.weeks)
    beside = arguments.data.with_name(benchmark.CARPARTS)
    monthly = arguments.carparts or (beside if beside.exists() else None)
    report = benchmark.measure(
        parts,
        benchmark.read_carparts(monthly) if monthly else None,
        arguments.known,
        Sampling(seed=arguments.seed),
    )
    print(benchmark.text(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    return 0


def run_equipment(arguments: argparse.Namespace) -> int:
    """Prints how good the failure risk is, and writes it as JSON where asked."""
    from models_offline import equipment_benchmark as benchmark

    read = benchmark.read(arguments.data, arguments.failure, arguments.kind)
    report = benchmark.measure(read, arguments.seed, arguments.jobs)
    print(benchmark.text(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    return 0


def _options(arguments: argparse.Namespace, final: bool) -> Options:
    from models_offline.training import Options

    return Options(
        frequency=arguments.freq,
        horizon=arguments.horizon,
        limit=arguments.limit,
        jobs=arguments.jobs,
        seed=arguments.seed,
        origins=arguments.origins,
        models=arguments.models,
        final=final,
    )


def _training_set() -> TrainingSet:
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from warehouse.db import get_batch_engine
    from warehouse.queries.training import load_training_set

    try:
        return load_training_set(get_batch_engine())
    except (OperationalError, ProgrammingError) as error:
        message = str(error.orig).strip().splitlines()[0]
        raise InvalidInput(
            f"the warehouse cannot be read ({message}); is `alembic upgrade head` done?"
        ) from error


def _home() -> Path:
    from config import get_settings

    return get_settings().home


def print_summary(results: Results) -> None:
    """The run in a few lines, the leaderboard by demand class, and what drivers bring."""
    from models_offline import drivers
    from models_offline.bundle import failure_reasons, final_failures
    from models_offline.hierarchy import table as level_table
    from models_offline.scoring import leaderboard

    dataset, setup = results.dataset, results.setup
    print(
        f"{len(dataset.series)} of {dataset.series_total} series, frequency"
        f" {dataset.frequency.code}, horizon {setup.horizon}, {len(results.origins)} origins,"
        f" {results.seconds:.0f} s"
    )
    if len(dataset.left_out):
        print(_left_out(dataset))
    if dataset.source["running_from"]:
        print(_running(dataset.source))
    if dataset.source["empty_periods"]:
        print(_empty(dataset.source))
    if not results.accuracy.empty:
        table = leaderboard(results.accuracy)
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    for name in results.published_as_naive:
        print(f"{name}: the ensemble lost to seasonal naive, which stands here in its place")
    if results.levels is not None and not results.levels.accuracy.empty:
        print(
            level_table(results.levels.accuracy).to_string(index=False, float_format="%.3f".__mod__)
        )
    if results.drivers:
        print(drivers.text(results.drivers))
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in results.fits.seconds.items())
    print(f"time by model: {seconds}")
    print(f"fits: {_sources(results.tally)}")
    print(f"forecasts that members could not make: {len(final_failures(results))}")
    for one in failure_reasons(results)[:MOST_REASONS]:
        print(f"  {one['model']}: {one['series']} × {one['reason']}")


def _left_out(dataset: Dataset) -> str:
    names = [f"{sku} at {site}" for sku, site in dataset.left_out.to_numpy()[:MOST_NAMES]]
    more = len(dataset.left_out) - len(names)
    return (
        f"{len(dataset.left_out)} series left out, without demand in a whole period"
        f" ({dataset.frequency.code}): {', '.join(names)}" + (f" and {more} more" if more else "")
    )


def _running(source: Mapping[str, Any]) -> str:
    since = source["running_from"]
    return f"the period from {since} on was not over when it was loaded: nothing is learnt from it"


def _empty(source: Mapping[str, Any]) -> str:
    count, named = source["empty_periods"], source["last_empty_periods"]
    before = "… " if count > len(named) else ""
    return f"periods without any row, taken for no demand: {count} ({before}{', '.join(named)})"


def print_network(network: Network) -> None:
    """Clusters and risk in a few lines."""
    for family in FAMILIES:
        facts = network.facts[family]
        if facts["reason"]:
            print(f"{family}: none ({facts['reason']})")
        else:
            print(
                f"{family}: {len(facts['choices'])} numbers of clusters tried, silhouette"
                f" {facts['silhouette']:.2f}, stability {facts['stability']:.2f}"
            )
    quality = network.facts[EQUIPMENT].get("risk", {}).get("quality")
    if quality:
        print(
            f"failure risk: PR-AUC {quality['pr_auc']:.3f}, ECE {quality['ece']:.4f}, riskiest"
            f" fifth holds {quality['recall_fifth']:.1%} of {quality['failures']} failures"
        )
    print(f"clusters and risk: {network.facts['seconds']:.0f} s")


def _sources(tally: Tally) -> str:
    facts = tally.facts()
    return (
        f"{facts['fits']}, of which {facts['resumed']} resumed, {facts['reused']} reused,"
        f" {facts['computed']} computed; series refit: {facts['series_refit']}"
        f" of {len(tally.series)}"
    )
