"""A page's state as its address tells it: read, checked; what could not be used is noticed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from math import nan
from urllib.parse import parse_qs

from domain.page_filters import SHARED, VERSION, of_page
from domain.records import Filters, Option
from domain.viewer import Translator
from layouts import format as fmt
from layouts.text import FILTER_NAMES

MAX_TEXT = 100
MAX_VALUES = 50
Query = Mapping[str, str | Sequence[str]]


class Address:
    """Parameters of one address. Bad ones fall back and leave a line in `notices`."""

    def __init__(self, query: Query, t: Translator) -> None:
        self._query, self._t = query, t
        self.notices: list[str] = []

    @classmethod
    def parse(cls, search: str | None, t: Translator) -> Address:
        """The address with this query string (`?name=value&…`)."""
        return cls(parse_qs((search or "").removeprefix("?"), keep_blank_values=True), t)

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters as they were given."""
        return {name: self._values(name) for name in self._query}

    def only(self, names: Container[str]) -> dict[str, list[str]]:
        """Those of the parameters that have one of these names."""
        return {name: values for name, values in self.query.items() if name in names}

    def check(self, path: str) -> list[str]:
        """Notices of what the page at `path` makes nothing of: another version of addresses, names
        that are not known, shared filters that it cannot apply, values beside the one it takes."""
        page = of_page(path, self.text("tab"))
        if page is None:
            return []
        t, version = self._t, self.text("v")
        known = {*page.shared, *page.own, *page.variables, "v"}
        nothing = [name for name in self._query if name not in known]
        told = [
            self._unknown(name, ", ".join(self._values(name)))
            for name in nothing
            if name not in SHARED
        ]
        if idle := [name for name in nothing if name in SHARED]:
            said = self.not_applied(idle)
            instead = page.instead if "period" in nothing else ""
            told.append(f"{said} {t(instead)}" if instead else said)
        left = {name: self._values(name)[1:] for name in page.alone}
        told += [self._unknown(name, ", ".join(values)) for name, values in left.items() if values]
        if version and version != VERSION:
            told.insert(
                0, t("This address is of another version: what is understood of it is shown.")
            )
        return told

    def not_applied(self, names: Iterable[str]) -> str:
        """A notice of shared filters that leave what is shown as it is."""
        t = self._t
        idle = ", ".join(t(FILTER_NAMES[name]) for name in names)
        return t("Not applied on this page: %(filters)s.", filters=idle)

    def values(self, name: str) -> list[str]:
        """The values of a repeated parameter as they were given."""
        return self._values(name)

    def _values(self, name: str) -> list[str]:
        given = self._query.get(name, "")
        values = [given] if isinstance(given, str) else given
        return [value.replace("\x00", "") for value in values if value][:MAX_VALUES]

    def text(self, name: str, limit: int = MAX_TEXT) -> str:
        """A parameter's first value, cut at `limit`; empty if it is not given."""
        return next(iter(self._values(name)), "")[:limit]

    def many(self, name: str, allowed: Iterable[str]) -> tuple[str, ...]:
        """The values of a repeated parameter that are allowed, in the given order."""
        known = set(allowed)
        given = self._values(name)
        for value in given:
            if value not in known:
                self.ignored(name, value)
        return tuple(dict.fromkeys(value for value in given if value in known))

    def one(self, name: str, allowed: Iterable[str], default: str) -> str:
        """A parameter with one of few values."""
        given = self.text(name)
        if not given or given in set(allowed):
            return given or default
        self.ignored(name, given)
        return default

    def order(self, columns: Iterable[str], default: str) -> str:
        """The column that a table is sorted by, `-` in front: descending."""
        return self.one("sort", [sign + name for name in columns for sign in ("", "-")], default)

    def option(self, name: str, options: Sequence[Option], start: str | None = None) -> str | None:
        """One of what is offered: `start`, if it is there, or the first unless the address says
        otherwise; None of nothing."""
        values = [option.value for option in options]
        if not values:
            return None
        return self.one(name, values, start if start in values else values[0])

    def count(self, name: str) -> int:
        """A parameter that counts; 0 if it is not given."""
        given = self.text(name)
        if not given or (given.isascii() and given.isdigit() and len(given) < 10):
            return int(given or 0)
        self.ignored(name, given)
        return 0

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number between two others, with a point or a comma; None if it is not given."""
        given = self.text(name)
        try:
            value = float(given.replace(",", ".")) if given.isascii() else nan
        except ValueError:
            value = nan
        if low <= value <= high:
            return value
        if given:
            self.ignored(name, given)
        return None

    def limited(
        self, name: str, label: str, low: float, high: float, *, locale: str
    ) -> float | None:
        """The same of a field that the reader fills in: what cannot be used is answered with the
        field's name and its limits."""
        told = self.numbers(name, label, low, high, locale=locale, most=1)
        return told[0] if told else None

    def numbers(
        self,
        name: str,
        label: str,
        low: float,
        high: float,
        *,
        locale: str,
        most: int,
        limit: int = MAX_TEXT,
    ) -> tuple[float, ...] | None:
        """Numbers with semicolons or spaces between them, each with a point or a comma; None if
        they are not given or cannot be used."""
        given = self.text(name, limit)
        if not given:
            return None
        try:
            found = tuple(float(one.replace(",", ".")) for one in given.replace(";", " ").split())
        except ValueError:
            found = ()
        if 0 < len(found) <= most and given.isascii() and all(low <= one <= high for one in found):
            return found
        t = self._t
        first, last = (fmt.limit(end, locale) for end in (low, high))
        limits = {"label": label, "low": first, "high": last}
        if most == 1:
            self._notice(t("%(label)s: write a number from %(low)s to %(high)s.", **limits))
        else:
            self._notice(
                t(
                    "%(label)s: write up to %(most)s numbers from %(low)s to %(high)s, with spaces"
                    " or semicolons between them.",
                    **limits,
                    most=most,
                )
            )
        return None

    def day(self, name: str) -> date | None:
        """A date, as ISO or as Brazilians write it; None if it is not given."""
        given = self.text(name)
        for form in ("%Y-%m-%d", "%d/%m/%Y"):
            try:
                return datetime.strptime(given, form).date()
            except ValueError:
                continue
        if given:
            t = self._t
            self._notice(t("“%(value)s” is no date: write 2026-12-31.", value=given[:40]))
        return None

    def ignored(self, name: str, value: str) -> None:
        """Tells the reader that a parameter could not be used."""
        self._notice(self._unknown(name, value))

    def _notice(self, line: str) -> None:
        """Once, however often the parameter is read."""
        if line not in self.notices:
            self.notices.append(line)

    def _unknown(self, name: str, value: str) -> str:
        t, given = self._t, {"name": name[:40], "value": value[:40]}
        return t("“%(name)s=%(value)s” in the address is not known: left out.", **given)

    def filters(self, choices: Mapping[str, Sequence[Option]], **more: object) -> Filters:
        """The filters that `choices` offers, of those that are in the address."""
        chosen = {
            name: self.many(name, (option.value for option in options))
            for name, options in choices.items()
        }
        return Filters(**chosen, **more)  # type: ignore[arg-type]
