"""`benchmark equipment`: the risk that machines fail, on a file of readings, cross-validated.

One row a machine, one column with 0 or 1 for whether it failed, one with its kind if there is one,
and numbers. Flags that are hardly ever set without a failure, and numbers of the rows, are left
out: they would give the answer away.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import InvalidInput
from models_offline import readings, risk, tables
from models_offline.readings import Readings
from models_offline.risk import Model

FAILURE_WORDS, KIND_WORDS = ("failure", "falha"), ("kind", "type", "tipo")


def read(path: Path, failure: str | None = None, kind: str | None = None) -> Readings:
    """The file as rows to learn from. Raises InvalidInput for one that cannot be used."""
    with tables.reading(path):
        table = pd.read_csv(path)
    failed = _column(table, failure, FAILURE_WORDS, path, "--failure")
    if failed is None:
        raise InvalidInput(f"{path}: no column is named failure; say which one with --failure")
    if not set(table[failed].unique()) <= {0, 1}:
        raise InvalidInput(f"{path}: column {failed!r} holds something else than 0 and 1")
    kinds = _column(table, kind, KIND_WORDS, path, "--kind")
    measured = table.drop(columns=[name for name in (failed, kinds) if name])
    measured = measured.select_dtypes("number")
    count = len(table)
    keys = pd.DataFrame(
        {
            "equipment": np.arange(count),
            "site": "",
            "kind": table[kinds].astype(str) if kinds else "",
            "measured_at": pd.Timestamp(0),
            "failure": table[failed].astype(float),
        }
    )
    found = readings.prepare(pd.concat([keys, measured], axis=1), 0)
    if not risk.are_enough(found.rows):
        raise InvalidInput(
            f"{path}: fewer than {risk.LEAST_FAILURES} failures to learn from, or fewer than"
            f" {risk.FOLDS} rows without one"
        )
    return found


def _column(
    table: pd.DataFrame, asked: str | None, words: tuple[str, ...], path: Path, option: str
) -> str | None:
    if asked is not None:
        if asked not in table:
            raise InvalidInput(f"{path}: there is no column {asked!r} ({option})")
        return asked
    names = [str(name) for name in table]
    exact = [name for name in names if name.strip().lower() in words]
    found = exact or [name for name in names if set(name.lower().split()) & set(words)]
    if len(found) > 1:
        raise InvalidInput(f"{path}: columns {', '.join(found)}: say which one with {option}")
    return found[0] if found else None


def measure(found: Readings, seed: int = 1, jobs: int = 1) -> dict[str, Any]:
    """The figures of risks held out in five folds, and what the model on all rows looks at."""
    started = time.monotonic()
    quality = risk.quality(risk.cross_validated(found.rows, seed, jobs), found.rows.failed)
    pairs = Model(seed).fit(found.rows).pairs
    return {
        "quality": asdict(quality),
        "inputs": list(found.rows.columns),
        "derived": [pair.name(found.rows.columns) for pair in pairs],
        "left_out": list(found.left_out),
        "seed": seed,
        "seconds": round(time.monotonic() - started, 1),
    }


def text(report: dict[str, Any]) -> str:
    """The report for people."""
    quality = report["quality"]
    lines = [
        f"{quality['rows']} rows, {quality['failures']} failures, {quality['folds']} folds,"
        f" {report['seconds']:.0f} s",
        f"inputs: {', '.join(report['inputs'])}",
        f"left out: {', '.join(report['left_out']) or '-'}",
        f"found together: {', '.join(report['derived'])}",
        f"PR-AUC {quality['pr_auc']:.4f} (chance {quality['failures'] / quality['rows']:.4f}),"
        f" ROC-AUC {quality['roc_auc']:.4f}",
        f"failures in the riskiest tenth {quality['recall_decile']:.2%},"
        f" fifth {quality['recall_fifth']:.2%}",
        f"Brier {quality['brier']:.5f}, ECE {quality['ece']:.5f}",
        "predicted  observed  rows",
        *(
            f"{one['predicted']:>9.4f} {one['observed']:>9.4f} {one['count']:>5}"
            for one in quality["bins"]
        ),
    ]
    return "\n".join(lines)
