"""Each source into an ERP file of its own; one that fails leaves the others and its last file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from config import Settings
from domain.errors import InvalidInput
from warehouse.connectors import holiday_calendar, open_meteo, ptax, sgs, sidra
from warehouse.connectors.rows import SOURCES, Asked, Row
from warehouse.connectors.web import SourceError, Web, forget_old, write_whole


@dataclass(frozen=True)
class Api:
    """A public API: its name, its setting in config.py, and what asks it."""

    name: str
    setting: str
    rows: Callable[[Web, Asked], Iterator[Row]]


APIS = {
    "sgs": Api("Banco Central SGS", "sgs_url", sgs.rows),
    "ptax": Api("Banco Central PTAX", "ptax_url", ptax.rows),
    "sidra": Api("IBGE SIDRA", "sidra_url", sidra.rows),
    "open_meteo": Api("Open-Meteo", "open_meteo_url", open_meteo.rows),
}
COLUMNS = ("date", "driver", "value", "uf")


@dataclass(frozen=True)
class Outcome:
    """What became of one source: its file with so many rows of these days, or why there is none
    and of when the last one is (None: there was never one)."""

    source: str
    file: Path
    rows: int = 0
    first: date | None = None
    last: date | None = None
    drivers: list[str] = field(default_factory=list)
    failure: str | None = None
    earlier: date | None = None


def fetch(
    folder: Path,
    asked: Asked,
    settings: Settings,
    *,
    sources: Sequence[str] = SOURCES,
    is_fresh: bool = False,
) -> Iterator[Outcome]:
    """Writes `drivers_SOURCE.csv` of each of `sources` into the folder; `is_fresh`: do not look at
    answers that are kept. Raises InvalidInput for days in the wrong order."""
    if asked.last < asked.first:
        raise InvalidInput(f"nothing lies from {asked.first} to {asked.last}: --from is after --to")
    kept = settings.home / "drivers" / "answers"
    forget_old(kept)
    for name in dict.fromkeys(sources):
        file = folder / f"drivers_{name}.csv"
        try:
            found = sorted(set(_rows(name, asked, settings, kept, is_fresh)), key=_key)
            if not found:
                raise SourceError(f"{name} knows nothing from {asked.first} to {asked.last}.")
        except SourceError as error:
            yield Outcome(name, file, failure=str(error), earlier=_written(file))
        else:
            write_whole(file, _csv(found))
            days, drivers = [row.date for row in found], {row.driver for row in found}
            yield Outcome(name, file, len(found), min(days), max(days), sorted(drivers))


def _rows(name: str, asked: Asked, settings: Settings, kept: Path, is_fresh: bool) -> Iterator[Row]:
    if name not in APIS:
        return holiday_calendar.rows(asked)
    api = APIS[name]
    variable = str(Settings.model_fields[api.setting].validation_alias)
    web = Web(api.name, getattr(settings, api.setting), variable, kept=kept, is_fresh=is_fresh)
    return api.rows(web, asked)


def _key(row: Row) -> tuple[str, str, date]:
    return row.driver, row.uf, row.date


def _written(file: Path) -> date | None:
    return date.fromtimestamp(file.stat().st_mtime) if file.exists() else None


def _csv(rows: Sequence[Row]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        (row.date.isoformat(), row.driver, f"{row.value:.10g}", row.uf) for row in rows
    )
    return stream.getvalue().encode()
