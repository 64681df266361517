"""A frame of many series, cut into the few that one task needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd


class Histories:
    """Looks up the series of a frame `unique_id, ds, y`, sorted by series and date; `family`, if it
    is there, names the item family of each."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        ids = frame["unique_id"].to_numpy()
        edges = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        starts = [0, *edges.tolist()] if len(ids) else []
        ends = [*edges.tolist(), len(ids)] if len(ids) else []
        self.ids: list[Any] = ids[starts].tolist()
        self._bounds = {
            one: (start, end) for one, start, end in zip(self.ids, starts, ends, strict=True)
        }
        self._ds, self._y = frame["ds"].to_numpy(), frame["y"].to_numpy(dtype=float)
        self._family = frame["family"].to_numpy() if "family" in frame else None
        self.digest = cache(self._digest)

    def periods(self, unique_id: Any) -> int:
        start, end = self._bounds[unique_id]
        return end - start

    def last(self, ids: Sequence[Any], dropped: int) -> str:
        """The last day of some series without their last `dropped` periods; "" of none."""
        days = [self._ds[self._bounds[one][1] - dropped - 1] for one in ids]
        return str(max(days).astype("datetime64[D]")) if days else ""

    def frame(self, ids: Sequence[Any]) -> pd.DataFrame:
        """The rows of some series alone."""
        rows = np.concatenate([np.arange(*self._bounds[one]) for one in ids])
        return self._frame.iloc[rows].reset_index(drop=True)

    def _digest(self, unique_id: Any, dropped: int) -> bytes:
        """SHA-256 of a series' dates, quantities and family without its last `dropped` periods.

        Its name plays no part: what a model makes of it does not depend on that.
        """
        start, end = self._bounds[unique_id]
        ds, y = self._ds[start : end - dropped], self._y[start : end - dropped]
        digest = hashlib.sha256(f"{len(ds)} {ds.dtype} ".encode())
        digest.update(np.ascontiguousarray(ds).view("int64").tobytes())
        digest.update(np.ascontiguousarray(y).tobytes())
        if self._family is not None:
            digest.update(str(self._family[start]).encode())
        return digest.digest()
