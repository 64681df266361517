"""What was fitted is kept, so that a killed run goes on where it was and the next run refits only
what has new data.

`NOVA_HOME/training` holds `fits/` (shards, each named by the SHA-256 of its content, written beside
and renamed) and `runs/` (which fits a finished run used). A fit is found by its key, which names
everything that it depends on: what is found is what would be computed.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import Unavailable
from models_offline import shards
from models_offline.shards import Piece

SECONDS_PER_DAY = 86_400
KEPT_RUNS = 2
"""The fits of so many finished runs are kept."""
UNFINISHED_DAYS = 7
"""What a run left that never finished is kept for so long."""
LEAST_IN_USE = 0.5
"""A shard of which less is in use is written anew without the rest."""


@dataclass(frozen=True)
class Slot:
    """A global model's fit in a finished run: its key, and that of a cold fit to the same data.
    `origin`: the last day that it knew of, or "" where an earlier version did not say."""

    key: str
    content: str
    origin: str = ""


@dataclass(frozen=True)
class FinishedRun:
    """The bundle's name, the keys of all fits in it, its global models by model, setup and cut."""

    name: str
    finished_at: float
    keys: frozenset[bytes]
    slots: dict[str, Slot]


@dataclass
class Tally:
    """Where the fits of this run came from."""

    fits: int = 0
    resumed: int = 0
    reused: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    series: set[Any] = field(default_factory=set)
    refit: set[Any] = field(default_factory=set)
    global_models: set[str] = field(default_factory=set)
    warm: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> tuple[int, int]:
        """Fits of a run that was killed, and fits of finished runs."""
        return self.resumed, self.reused.total()

    def facts(self) -> dict[str, Any]:
        """The tally as the manifest has it."""
        return {
            "fits": self.fits,
            "computed": self.fits - sum(self.found),
            "resumed": self.resumed,
            "reused": self.reused.total(),
            "reused_from": dict(sorted(self.reused.items())),
            "damaged_files": self.damaged,
            "series_refit": len(self.refit),
            "series_reused": len(self.series - self.refit),
            "global_models_refit": sorted(self.global_models),
            "warm_started_from": dict(sorted(self.warm.items())),
        }


class Store:
    """The kept fits of a folder, or of this process alone where there is no folder.

    `incremental`: global models may go on from the last run's weights. `fresh`: nothing that was
    kept is used.
    """

    def __init__(
        self, folder: Path | None = None, *, incremental: bool = False, fresh: bool = False
    ) -> None:
        self.incremental = incremental and not fresh
        self.tally = Tally()
        self._folder = folder
        self._memory: dict[str, bytes] = {}
        self._where: dict[bytes, tuple[str, int, int]] = {}
        self._origin: dict[bytes, str | None] = {}
        self._used: set[bytes] = set()
        self._slots: dict[str, Slot] = {}
        self._runs: list[FinishedRun] = []
        if folder is not None:
            self._open(folder, fresh=fresh)

    # Opening

    def _open(self, folder: Path, *, fresh: bool) -> None:
        for name in ("fits", "runs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for torn in (folder / name).glob("*.tmp"):
                torn.unlink()
        self._runs = sorted(self._read_runs(folder / "runs"), key=lambda run: run.finished_at)
        if fresh:
            return
        for path in sorted((folder / "fits").iterdir()):
            blob = path.read_bytes()
            if shards.name(blob) != path.name:
                self._discard(path)
                continue
            self._index(path.name, blob)
        for run in self._runs:
            for key in run.keys & self._where.keys():
                self._origin[key] = run.name
        if self.tally.damaged:
            say(f"{self.tally.damaged} damaged checkpoint files: what they held is computed again")

    def _read_runs(self, folder: Path) -> Iterator[FinishedRun]:
        for path in sorted(folder.iterdir()):
            try:
                raw = json.loads(path.read_text())
                slots = {name: Slot(**slot) for name, slot in raw["slots"].items()}
                keys = frozenset(bytes.fromhex(key) for key in raw["keys"])
                yield FinishedRun(path.stem, float(raw["finished_at"]), keys, slots)
            except (ValueError, TypeError, KeyError, AttributeError):
                self._discard(path)

    def _discard(self, path: Path) -> None:
        path.unlink()
        self.tally.damaged += 1

    def _index(self, name: str, blob: bytes) -> None:
        for number, facts in enumerate(shards.header(blob)):
            key = bytes.fromhex(facts["key"])
            self._where[key] = (name, number, facts["rows"])
            self._origin.setdefault(key, None)

    # Use

    def __contains__(self, key: bytes) -> bool:
        return key in self._where

    def use(self, key: bytes, ids: Sequence[Any]) -> None:
        """Counts a fit of these series in this run."""
        self._count(key)
        self.tally.series.update(ids)
        self.tally.refit.update(() if key in self else ids)

    def use_global(self, key: bytes, model: str, slot: str, content: bytes, origin: str) -> None:
        """Counts a fit of a global model, and notes it for a later run to go on from."""
        self._count(key)
        self.tally.global_models.update(() if key in self else [model])
        self._slots[slot] = Slot(key.hex(), content.hex(), origin)

    def _count(self, key: bytes) -> None:
        self._used.add(key)
        self.tally.fits += 1
        if key in self:
            origin = self._origin[key]
            self.tally.resumed += origin is None
            self.tally.reused.update([origin] if origin else [])

    def unchanged(self, slots: Sequence[str], contents: Sequence[bytes]) -> list[bytes] | None:
        """The last run's fits of a global model, for an incremental run on the same data; None
        where the data or one of the fits is not the same."""
        old = [self._last(slot) for slot in slots]
        known = [one for one in old if one is not None]
        if [one.content for one in known] != [content.hex() for content in contents]:
            return None
        return [bytes.fromhex(one.key) for one in known]

    def start(self, slot: str, origin: str) -> tuple[bytes, bytes] | None:
        """Key and weights of what a global model goes on from in an incremental run; None where the
        last run's saw what came after `origin`."""
        old = self._last(slot)
        if old is None or old.origin > origin:
            return None
        [piece] = self.read([bytes.fromhex(old.key)])
        return (piece.key, piece.state) if piece.state else None

    def warm(self, model: str) -> None:
        """Notes that a global model goes on from the last run's weights."""
        self.tally.warm[model] = self._runs[-1].name

    def _last(self, slot: str) -> Slot | None:
        if not self.incremental or not self._runs:
            return None
        old = self._runs[-1].slots.get(slot)
        return old if old is not None and bytes.fromhex(old.key) in self else None

    def save(self, blob: bytes) -> None:
        """Keeps a worker's shard: on disk all at once, or in memory where there is no folder."""
        name = shards.name(blob)
        if self._folder is None:
            self._memory[name] = blob
        else:
            write_atomically(self._folder / "fits" / name, blob)
        self._index(name, blob)

    def rows(self, key: bytes) -> int:
        """Rows of a fit."""
        return self._where[key][2]

    def read(self, keys: Iterable[bytes]) -> Iterator[Piece]:
        """The fits of some keys, shard by shard, in no order. Raises Unavailable when the folder
        was emptied meanwhile."""
        wanted: dict[str, set[int]] = {}
        for key in keys:
            name, number, _ = self._where[key]
            wanted.setdefault(name, set()).add(number)
        for name in wanted:
            pieces = shards.unpack(self._blob(name))
            yield from (pieces[number] for number in sorted(wanted[name]))

    def _blob(self, name: str) -> bytes:
        if self._folder is None:
            return self._memory[name]
        try:
            return (self._folder / "fits" / name).read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(
                f"{self._folder}: checkpoints were removed while the training ran; start it again"
            ) from error

    # The end of a run

    def finish(self, name: str) -> None:
        """The run's bundle is written: its fits stay for the next runs, older ones go."""
        if self._folder is None:
            return
        now = time.time()
        run = {
            "finished_at": now,
            "keys": sorted(key.hex() for key in self._used),
            "slots": {slot: vars(one) for slot, one in self._slots.items()},
        }
        write_atomically(self._folder / "runs" / f"{name}.json", json.dumps(run).encode())
        finished = FinishedRun(name, now, frozenset(self._used), self._slots)
        self._runs = [one for one in self._runs if one.name != name] + [finished]
        self._prune(self._folder)

    def _prune(self, folder: Path) -> None:
        for run in self._runs[:-KEPT_RUNS]:
            (folder / "runs" / f"{run.name}.json").unlink(missing_ok=True)
        known = frozenset().union(*(run.keys for run in self._runs))
        live = frozenset().union(*(run.keys for run in self._runs[-KEPT_RUNS:]))
        oldest = time.time() - UNFINISHED_DAYS * SECONDS_PER_DAY
        for path in sorted((folder / "fits").iterdir()):
            keys = [bytes.fromhex(facts["key"]) for facts in shards.header(path.read_bytes())]
            if known.isdisjoint(keys) and path.stat().st_mtime > oldest:
                continue
            used = [self._is_live(path.name, n, key, live) for n, key in enumerate(keys)]
            if sum(used) < LEAST_IN_USE * len(used):
                self._shrink(path, used)

    def _is_live(self, name: str, number: int, key: bytes, live: frozenset[bytes]) -> bool:
        return key in live and self._where.get(key, (name, number))[:2] == (name, number)

    def _shrink(self, path: Path, used: list[bool]) -> None:
        pieces = shards.unpack(path.read_bytes())
        kept = [piece for piece, is_used in zip(pieces, used, strict=True) if is_used]
        if kept:
            self.save(shards.pack(kept))
        path.unlink()


def write_atomically(path: Path, content: bytes) -> None:
    """The file is there whole or not at all, whenever the process ends."""
    fresh = path.with_name(f"{path.name}.tmp")
    with fresh.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)


@contextmanager
def opened(folder: Path, *, incremental: bool = False, fresh: bool = False) -> Iterator[Store]:
    """The store of a folder. Raises Unavailable while another training uses the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"another training uses {folder}; wait until it has ended, or stop it"
            ) from None
        yield Store(folder, incremental=incremental, fresh=fresh)


def say(line: str) -> None:
    print(f"checkpoints: {line}", file=sys.stderr, flush=True)
