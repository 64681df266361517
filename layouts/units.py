"""Units on the axes of charts, in one vocabulary: an axis of numbers is titled (`theme.titled`)
with a Unit, and all of them are made here; and a number with its unit after it."""

from __future__ import annotations

from typing import NewType

from domain.viewer import N_, Translator
from layouts import format as fmt
from layouts.text import DRIVERS, INPUT_UNITS, PERIODS, PERIODS_AHEAD, named

Unit = NewType("Unit", str)

BRL, PERCENT, CORRELATION = Unit("R$"), Unit("%"), Unit("r")
UNITS = {
    "units": N_("units"),
    "units_of_issue": N_("units of issue"),
    "brl_per_period": N_("R$ per period"),
    "units_per_period": N_("Units per period"),
    "brl_a_month": N_("R$ a month"),
    "hours": N_("hours"),
    "days": N_("days"),
    "weeks": N_("weeks"),
    "months": N_("months"),
    "periods": N_("periods"),
    "count": N_("count"),
    "spreads": N_("spreads"),
    "of_mean": N_("mean = 100"),
    "own": N_("in the unit of its file"),
    "none": N_("no unit"),
}


def unit(name: str, t: Translator) -> Unit:
    """One of UNITS in the reader's language. Raises KeyError for another name."""
    return Unit(t(UNITS[name]))


def of_issue(code: str | None, t: Translator) -> Unit:
    """A material's unit of issue as the file has it; `units` where it has none."""
    return Unit(code or t(UNITS["units"]))


def per_period(code: str | None, frequency: str | None, t: Translator) -> Unit:
    """The unit of a demand axis: quantity in one period of the frequency."""
    period = named(PERIODS, frequency, t)
    return Unit(t("%(unit)s per %(period)s", unit=of_issue(code, t), period=period))


def periods_ahead(frequency: str | None, t: Translator) -> Unit:
    """Periods from the origin of a forecast."""
    return Unit(named(PERIODS_AHEAD, frequency, t))


def of_input(name: str, t: Translator) -> Unit:
    """The unit of a formula's input or result; that of a plain number says that it has none."""
    return Unit(t(INPUT_UNITS[name] or UNITS["none"]))


def of_driver(code: str, t: Translator) -> tuple[Unit, str]:
    """A driver's unit, and what it is without it; of one that is not known here its code."""
    if code not in DRIVERS:
        return unit("own", t), code
    what, _, told = t(DRIVERS[code]).rpartition(", ")
    return Unit(told), what


def days_told(told: str, t: Translator) -> str:
    """Days in words, of their number as it is written."""
    return t("1 day") if told == "1" else t("%(count)s days", count=told)


def with_unit(value: float | None, unit: str, locale: str, t: Translator) -> str:
    """A number as `format.by_unit` writes it, and of days and hours what it counts: `30 dias`."""
    told = fmt.by_unit(value, unit, locale)
    if value is None:
        return told
    if unit == "days":
        return days_told(told, t)
    return t("%(hours)s h", hours=told) if unit == "hours" else told
