"""A measured ratio and its limit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A measured ratio and what it may be at most, or at least where `at_least`; `part` of the
    bench that it comes from."""

    name: str
    ratio: float
    limit: float
    at_least: bool = False
    seen: str = ""
    part: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Name, ratio, limit, whether it holds, and the seconds behind it in words."""
        return asdict(self) | {"ratio": round(self.ratio, 3), "ok": self.ok}


def ms(ours: float, other: float) -> str:
    """Both, in milliseconds."""
    return f"{ours * 1000:.2f} and {other * 1000:.2f} ms"
