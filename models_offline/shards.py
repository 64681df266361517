"""Finished fits as bytes: one shard for what one worker did at a time.

Layout: length of the header (4 bytes), the header as JSON, the arrays compressed by zlib. Numbers
are kept as they are in memory, so that a fit read back equals the fit just made.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_offline.quantiles import VALUE_COLUMNS

LENGTH_BYTES = 4
FAST = 1
ROW_BYTES = 4 + 8 + 8 * len(VALUE_COLUMNS)


@dataclass(frozen=True)
class Piece:
    """One fit: of one series, or of all series of a global model.

    `position`: the row's series by its place in the fit; `ds`: period starts, nanoseconds;
    `values`: (rows, mean and quantiles). `failures` and `notes` are by place too. `seconds` are
    CPU-seconds; `state` is what a later fit may go on from.
    """

    key: bytes
    position: NDArray[np.int32]
    ds: NDArray[np.int64]
    values: NDArray[np.float64]
    failures: dict[int, str]
    notes: dict[int, dict[str, float]]
    seconds: float
    state: bytes = b""

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "key": self.key.hex(),
            "rows": len(self.position),
            "failures": list(self.failures.items()),
            "notes": list(self.notes.items()),
            "seconds": self.seconds,
            "state": len(self.state),
        }


def name(blob: bytes) -> str:
    """What a shard is called: its content's SHA-256, so that damage shows."""
    return hashlib.sha256(blob).hexdigest()


def pack(pieces: list[Piece]) -> bytes:
    header = json.dumps([piece.facts for piece in pieces]).encode()
    parts = [
        part
        for piece in pieces
        for part in (
            piece.position.astype("<i4").tobytes(),
            piece.ds.astype("<i8").tobytes(),
            piece.values.astype("<f8").tobytes(),
            piece.state,
        )
    ]
    body = zlib.compress(b"".join(parts), FAST)
    return len(header).to_bytes(LENGTH_BYTES, "big") + header + body


def header(blob: bytes) -> list[dict[str, Any]]:
    """The facts about each piece, without unpacking its numbers."""
    return json.loads(blob[LENGTH_BYTES : _header_end(blob)])


def unpack(blob: bytes) -> list[Piece]:
    body = zlib.decompress(blob[_header_end(blob) :])
    pieces, at = [], 0
    for facts in header(blob):
        end = at + facts["rows"] * ROW_BYTES + facts["state"]
        pieces.append(_piece(facts, body[at:end]))
        at = end
    return pieces


def _header_end(blob: bytes) -> int:
    return LENGTH_BYTES + int.from_bytes(blob[:LENGTH_BYTES], "big")


def _piece(facts: dict[str, Any], part: bytes) -> Piece:
    rows = facts["rows"]
    values = np.frombuffer(part, "<f8", rows * len(VALUE_COLUMNS), offset=rows * 12)
    return Piece(
        key=bytes.fromhex(facts["key"]),
        position=np.frombuffer(part, "<i4", rows),
        ds=np.frombuffer(part, "<i8", rows, offset=rows * 4),
        values=values.reshape(rows, len(VALUE_COLUMNS)),
        failures=dict(facts["failures"]),
        notes=dict(facts["notes"]),
        seconds=facts["seconds"],
        state=part[rows * ROW_BYTES :],
    )
