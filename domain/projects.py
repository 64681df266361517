"""Projects: where one stands against its plan, by how much it slips, and what it still needs.

The plan of a project is the S-curve of its planned dates, `planned_share`: the cumulative beta
distribution with both parameters 2, the plainest of the beta curves by which work and money are
spread over a project's time (NASA Cost Estimating Handbook 4.0, on phasing; in PERT, Malcolm et al.
1959, Operations Research 7). A slip is the difference between the day of a status and the day for
which the plan has the progress reported: earned schedule (Lipke 2003, "Schedule is Different", The
Measurable News). Days are whole, shares fractions 0-1, money BRL, quantities in units of issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import asin, sin

BEHIND = 0.05
"""Progress short of the plan from which a project counts as behind, as a share of the whole."""
CURVE_POINTS = 40
STATES = ("behind", "on_plan", "not_started", "unknown", "done", "cancelled")
"""Where a project stands, the most urgent first."""
OPEN_STATES = ("behind", "on_plan", "not_started", "unknown")
CANCELLED = frozenset({"cancelado", "cancelada", "cancelled", "canceled"})
DONE = frozenset(
    {
        *("concluído", "concluida", "concluída", "concluido", "encerrado", "encerrada"),
        *("finalizado", "finalizada", "completed", "complete", "done", "finished", "closed"),
    }
)
"""Words in a project's status, lower case, that mean: nothing more is needed."""


def planned_share(time: float) -> float:
    """Share of the work that the plan has done after this share of its time: I_x(2, 2) = 3x² − 2x³,
    0 before the start and 1 after the end."""
    x = min(max(time, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def planned_time(share: float) -> float:
    """The inverse: the share of its time after which the plan has done this share of the work."""
    done = min(max(share, 0.0), 1.0)
    return 0.5 - sin(asin(1.0 - 2.0 * done) / 3.0)


@dataclass(frozen=True)
class Status:
    """What a projects file says of a project on a day; `progress` is a fraction."""

    as_of: date
    status: str | None
    planned_start: date | None
    planned_end: date | None
    actual_end: date | None
    progress: float | None
    budget_brl: float | None = None
    spent_brl: float | None = None


def planned_progress(one: Status) -> float | None:
    """The progress that the plan has on the day of the status; None without planned dates."""
    span = _span(one)
    if span is None:
        return None
    start, days = span
    return planned_share((one.as_of - start).days / days)


def state(one: Status) -> str:
    """One of STATES."""
    word = (one.status or "").strip().casefold()
    if word in CANCELLED:
        return "cancelled"
    if word in DONE or one.actual_end is not None or (one.progress or 0.0) >= 1.0:
        return "done"
    planned = planned_progress(one)
    if planned is None or one.planned_start is None or one.planned_end is None:
        return "unknown"
    if one.as_of < one.planned_start and not one.progress:
        return "not_started"
    if one.progress is None:
        return "unknown"
    late = planned - one.progress > BEHIND or one.as_of > one.planned_end
    return "behind" if late else "on_plan"


def slip_days(one: Status) -> int | None:
    """Days by which the work is behind its plan, negative where it is ahead: the day of the status
    less the day for which the plan has this progress. Of a project that is done, its actual end
    less the planned one. None where the file does not say enough."""
    span = _span(one)
    if span is None or one.planned_end is None:
        return None
    if one.actual_end is not None:
        return (one.actual_end - one.planned_end).days
    if one.progress is None or state(one) in ("done", "cancelled"):
        return None
    start, days = span
    passed = (one.as_of - start).days
    if passed <= 0 and not one.progress:
        return 0
    return round(passed - days * planned_time(one.progress))


def expected_end(one: Status) -> date | None:
    """The planned end moved by the slip, as a project that keeps to its plan from now on."""
    slip = slip_days(one)
    if one.actual_end is not None or slip is None or one.planned_end is None:
        return one.actual_end
    return one.planned_end + timedelta(days=slip)


def needed_when(one: Status, needed_on: date, today: date) -> date | None:
    """The day on which a material planned for `needed_on` is to be expected: moved by the slip.
    None where nothing is to come: the project is over, or this day is not after the status and
    after `today`, the last day of the data, so that it was drawn from the stock already."""
    if state(one) not in OPEN_STATES:
        return None
    moved = needed_on + timedelta(days=slip_days(one) or 0)
    return moved if moved > max(one.as_of, today) else None


def curve(one: Status) -> list[SCurvePoint]:
    """The plan from its start to its end, CURVE_POINTS steps; empty without planned dates."""
    span = _span(one)
    if span is None:
        return []
    start, days = span
    steps = min(CURVE_POINTS, days)
    marks = sorted({round(days * step / steps) for step in range(steps + 1)})
    return [SCurvePoint(start + timedelta(days=day), planned_share(day / days)) for day in marks]


def _span(one: Status) -> tuple[date, int] | None:
    """The planned start and the days of the plan."""
    if one.planned_start is None or one.planned_end is None:
        return None
    days = (one.planned_end - one.planned_start).days
    return (one.planned_start, days) if days > 0 else None


@dataclass(frozen=True)
class SCurvePoint:
    """What the plan has done by the end of a day, a fraction."""

    date: date
    planned: float


@dataclass(frozen=True)
class ProjectScore:
    """Where a project stands on the day of its latest file (`as_of`). `first_planned_end`: that of
    the first file; `expected_end`: the planned end moved by the slip. `materials`: lines of its
    bill that are to come, `at_risk`: those that stock and open orders do not cover in time,
    `shortage_brl`: what is missing at unit cost, of what has one, None where nothing that is
    missing has; both None where nothing is published."""

    project: str
    name: str | None
    uf: str | None
    status: str | None
    state: str
    as_of: date
    planned_start: date | None
    planned_end: date | None
    first_planned_end: date | None
    actual_end: date | None
    expected_end: date | None
    progress: float | None
    planned_progress: float | None
    slip_days: int | None
    budget_brl: float | None
    spent_brl: float | None
    spent_share: float | None
    materials: int
    at_risk: int | None
    shortage_brl: float | None


@dataclass(frozen=True)
class ProjectStatus:
    """What one file said of a project; `planned_progress` is what its plan of then had."""

    as_of: date
    status: str | None
    planned_start: date | None
    planned_end: date | None
    actual_end: date | None
    progress: float | None
    planned_progress: float | None
    slip_days: int | None
    budget_brl: float | None
    spent_brl: float | None


@dataclass(frozen=True)
class ProjectMaterial:
    """A line of a bill of materials. `needed_on`: the file's; `expected_on`: moved by the slip,
    None where it is drawn already or never will be. Of the depot that serves the project's UF:
    `on_hand` free stock today, `arriving` what open orders bring until then, `projected` the stock
    of that day before this line, `shortage` what it lacks of `quantity`; `order_by`: the last day
    on which an order still comes in time. Stockout dates with everything as expected, with this
    project on its planned dates, and without it. None where they are not known; of a line beyond
    the days that stock is projected for `arriving`, `projected` and `shortage` are not."""

    project: str
    sku: str
    item_name: str | None
    unit: str | None
    quantity: float
    unit_cost_brl: float | None
    needed_on: date
    expected_on: date | None
    depot: str | None
    on_hand: float | None
    arriving: float | None
    projected: float | None
    shortage: float | None
    shortage_brl: float | None
    lead_time_days: float | None
    order_by: date | None
    stockout_on: date | None
    stockout_as_planned_on: date | None
    stockout_without_on: date | None


@dataclass(frozen=True)
class ProjectMonth:
    """Materials still to come, by the month (its first day) that the plan and that the slip put
    them in; BRL at unit cost."""

    month: date
    planned_brl: float
    expected_brl: float


@dataclass(frozen=True)
class ProjectDetail:
    """One project with everything. `today`: the last day that the files speak of; `history`: a
    status a file, oldest first."""

    score: ProjectScore
    today: date
    curve: list[SCurvePoint]
    history: list[ProjectStatus]
    materials: list[ProjectMaterial]
    months: list[ProjectMonth]


def expected(detail: ProjectDetail) -> list[SCurvePoint]:
    """What is left of the plan, moved by the slip; empty where there is none."""
    score, slip = detail.score, detail.score.slip_days
    if not slip or score.progress is None or score.state not in OPEN_STATES:
        return []
    left = [
        SCurvePoint(one.date + timedelta(days=slip), one.planned)
        for one in detail.curve
        if one.planned > score.progress
    ]
    return [SCurvePoint(score.as_of, score.progress), *left]


def first_plan(detail: ProjectDetail) -> list[SCurvePoint]:
    """The curve of the first file, if the dates were moved since."""
    one, now = detail.history[0], detail.score
    if (one.planned_start, one.planned_end) == (now.planned_start, now.planned_end):
        return []
    return curve(Status(one.as_of, None, one.planned_start, one.planned_end, None, None))


@dataclass(frozen=True)
class CurveDay:
    """A day of a project, fractions of the whole: what was `done` by its end as a file reported,
    what the plan and the first plan have done, and what is to be expected."""

    date: date
    done: float | None
    planned: float | None
    first_planned: float | None
    expected: float | None


def curve_days(detail: ProjectDetail) -> list[CurveDay]:
    """Every day that one of the curves has a point on."""
    done = {one.as_of: one.progress for one in detail.history}
    plan, first, ahead = (
        {one.date: one.planned for one in points}
        for points in (detail.curve, first_plan(detail), expected(detail))
    )
    return [
        CurveDay(day, done.get(day), plan.get(day), first.get(day), ahead.get(day))
        for day in sorted({*done, *plan, *first, *ahead})
    ]


@dataclass(frozen=True)
class ProjectFilters:
    """What the reader narrowed the projects to. Plain and hashable: part of every cache key. With
    dates, those that run on one of the days between them, by their plans or as they ended."""

    project: tuple[str, ...] = ()
    uf: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    at_risk: bool = False
    search: str = ""
    date_from: date | None = None
    date_to: date | None = None


NO_PROJECT_FILTERS = ProjectFilters()


def shifted(materials: list[ProjectMaterial]) -> list[ProjectMonth]:
    """The lines still to come by month, as planned and as expected; those without a cost are left
    out."""
    months: dict[date, list[float]] = {}
    for one in materials:
        if one.expected_on is None or one.unit_cost_brl is None:
            continue
        for place, day in enumerate((one.needed_on, one.expected_on)):
            row = months.setdefault(day.replace(day=1), [0.0, 0.0])
            row[place] += one.quantity * one.unit_cost_brl
    return [ProjectMonth(month, *months[month]) for month in sorted(months)]
