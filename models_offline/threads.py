"""One numerical thread per process: the parallel work is done by processes."""

from __future__ import annotations

import os

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def limit_threads() -> None:
    """Sets the environment that numerical libraries read when first imported.

    Must run before NumPy is imported; worker processes inherit it.
    """
    for name in ONE_THREAD:
        os.environ[name] = "1"
