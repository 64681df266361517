"""The typed rows that queries return and that pages, the API and exports show.

Quantities are in the item's unit of issue, money in BRL, rates are fractions 0-1, times in days.
`None` means "not known", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from domain.access import Permission, Role, Scope, may
from domain.clock import days_since

T = TypeVar("T")


@dataclass(frozen=True)
class Filters:
    """What the reader narrowed a list to. Plain and hashable: part of every cache key."""

    sku: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    uf: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    abc: tuple[str, ...] = ()
    xyz: tuple[str, ...] = ()
    supplier: tuple[str, ...] = ()
    contract: tuple[str, ...] = ()
    demand_class: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    search: str = ""
    date_from: date | None = None
    date_to: date | None = None
    act_from: date | None = None
    act_to: date | None = None

    @property
    def has_dates(self) -> bool:
        """True if a day is named that rows begin or end with."""
        return self.date_from is not None or self.date_to is not None

    def at_any_time(self) -> Filters:
        """The same without its dates: for what stands today."""
        return replace(self, date_from=None, date_to=None)

    def at_places(self) -> Filters:
        """Its regions and UFs alone: which sites are looked at."""
        return Filters(region=self.region, uf=self.uf)


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list: its rows, the number of rows in all, and where the next page starts."""

    rows: list[T]
    count: int
    next: str | None = None


@dataclass(frozen=True)
class DataStatus:
    """What is published and how old it is. All `None` (and zeros) when nothing is. `shown_version`
    changes when a run is published or derived again and when a load is there to be seen,
    `data_version` also with every decision; `decided_version` with the decisions and overrides of
    others than who asks. `next_load_on`: by the usual rhythm of past loads, None where there is
    none. `data_to`: the last day of the run's last period, before the first run that of demand.
    `forecast_to`: the last day of the run's horizon. `archived_to`: the last day of what is in the
    archive. `as_of`: the last day that the data speak of, of demand and stock, else of the orders.
    `demand_to`: the last day that demand is known of; `fresh_until`: the last one on which that is
    not old. `negative_periods`: periods of an item-depot in which more came back than was asked
    for; `empty_periods`: weeks or months in which nothing has a row, the last of which are named by
    their first days. The run's training took both for no demand."""

    run_id: int | None = None
    data_version: str = "0.0"
    computed_at: datetime | None = None
    published_at: datetime | None = None
    loaded_at: datetime | None = None
    data_from: date | None = None
    data_to: date | None = None
    frequency: str | None = None
    horizon: int | None = None
    forecast_to: date | None = None
    series_total: int = 0
    series_trained: int = 0
    series_fallback: int = 0
    negative_periods: int = 0
    empty_periods: int = 0
    last_empty_periods: tuple[date, ...] = ()
    is_demo: bool = False
    training_needed: bool = False
    shown_version: str = "0.0"
    decided_version: int = 0
    next_load_on: date | None = None
    archived_to: date | None = None
    as_of: date | None = None
    demand_to: date | None = None
    fresh_until: date | None = None

    @property
    def demand_age_days(self) -> int | None:
        """Whole days from the last day of demand to today, in Brasília; None before any."""
        return None if self.demand_to is None else days_since(self.demand_to)

    @property
    def trained_to(self) -> date | None:
        """`data_to` of a run since whose training newer data have come; else None."""
        if self.run_id is None or self.data_to is None or self.as_of is None:
            return None
        return self.data_to if self.data_to < self.as_of else None

    @property
    def is_old(self) -> bool:
        """Whether newer demand should have been loaded by today."""
        return self.fresh_until is not None and days_since(self.fresh_until) > 0


@dataclass(frozen=True)
class FileStatus:
    """What is loaded of one kind of ERP file; `rows` 0 means none. `quantity` is the sum over all
    rows of demand, in units of issue: the control total to hold against the file's own."""

    kind: str
    rows: int
    loaded_at: datetime | None
    date_from: date | None
    date_to: date | None
    quantity: float | None = None


@dataclass(frozen=True)
class Load:
    """One file (or sheet of one) that was loaded, or refused. `state` is loading, accepted,
    rejected (too many bad rows), failed, or stopped: its process died and nothing was kept."""

    load_id: int
    file: str
    part: str
    kind: str
    state: str
    message: str | None
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_filtered: int
    rows_merged: int
    date_from: date | None
    date_to: date | None
    loaded_by: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    is_demo: bool


@dataclass(frozen=True)
class RejectShown:
    """One of the first refused rows of a report."""

    line: int | None
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True)
class FileOutcome:
    """What a dry run or a load says of one file (or sheet). `state` is accepted, dry-run, unchanged
    (it was loaded before), rejected, failed or skipped; `superseded` counts rows of `core` that
    another value replaces, `repeated` those that it finds as they are; None where that was not
    looked for. `quantity` is the control total of a demand file, in units of issue."""

    file: str
    part: str
    kind: str
    state: str
    message: str | None
    read: int
    accepted: int
    rejected: int
    filtered: int
    merged: int
    date_from: date | None
    date_to: date | None
    load_id: int | None
    superseded: int | None
    repeated: int | None
    quantity: float | None
    rejects: list[RejectShown]
    dropped: dict[str, int]
    notes: dict[str, int]


def followed_by(what: str) -> str:
    """What a derivation of this object makes the pages follow: override, setting or load."""
    return what.partition(":")[0]


@dataclass(frozen=True)
class Job:
    """Work that somebody asked for: a dry run, a load, a publish or a derivation. `state` is
    queued, running, done, refused (the file is not as it should be), failed or cancelled. `phase`
    is waiting, reading, deriving or publishing (with the step: `deriving 2/6`), or showing;
    `may_follow` says that a dry run's file is still there to be loaded, `cancelled_at` when
    somebody asked to leave off, `has_rejects` that every row which a dry run refused is kept."""

    job_id: int
    kind: str
    state: str
    object: str
    run_id: int | None
    actor: str
    phase: str | None
    rows_read: int
    message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None
    may_follow: bool
    has_rejects: bool
    files: list[FileOutcome]

    def is_open_to(
        self, email: str, role: Role | str | None, scope: Scope, permission: Permission
    ) -> bool:
        """Whether it is this person's own; anybody's is open to who holds the permission."""
        return self.actor == email or may(role, permission, scope)

    @property
    def is_active(self) -> bool:
        """True while there is something to wait for."""
        return self.state in ("queued", "running")

    @property
    def may_be_cancelled(self) -> bool:
        """While nothing of it is kept: a file is waited for or read, a run derived."""
        is_file = self.kind in ("dry_run", "load")
        early = self.phase in (None, "waiting", "reading") if is_file else self.phase != "showing"
        return self.is_active and early and self.cancelled_at is None

    @property
    def follows(self) -> str:
        """See `followed_by`; empty for other jobs."""
        return followed_by(self.object) if self.kind == "derive" else ""

    @property
    def has_loaded(self) -> bool:
        """Whether data of its files is kept, however it ended."""
        return any(one.state == "accepted" for one in self.files)

    @property
    def is_due(self) -> bool:
        """Whether what it was to derive is still to be derived."""
        return self.state in ("failed", "cancelled") and (self.kind == "derive" or self.has_loaded)


@dataclass(frozen=True)
class RejectedRow:
    """Why a row of a load was refused; `line` is the physical line (CSV) or row (XLSX, Parquet)."""

    reject_id: int
    file: str
    line: int | None
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True)
class Run:
    """One run of the trainer that was published once. `state` is loading, ready or dropped (its
    rows are gone, it cannot be shown again). `wape` is the ensemble's over its backtest, a
    fraction; `published_at` is known of the run that is shown now."""

    run_id: int
    bundle: str
    state: str
    is_published: bool
    frequency: str
    horizon: int
    data_from: date
    data_to: date
    series_trained: int
    series_total: int
    series_fallback: int
    wape: float | None
    computed_at: datetime | None
    loaded_at: datetime
    published_at: datetime | None
    published_by: str | None


@dataclass(frozen=True)
class ReceiptInput:
    """One number that went into a KPI: its symbol in the formula, value and unit."""

    symbol: str
    name: str
    value: float | None
    unit: str


@dataclass(frozen=True)
class ReceiptPart:
    """A share of a KPI that is a sum: of one UF or family, or (`name` is empty) of the `count`
    others together."""

    name: str
    value: float
    count: int = 1


@dataclass(frozen=True)
class Receipt:
    """How a number was made: formula (LaTeX), inputs with their live values, run and filter.

    parts: what a sum is made of, the largest first; they add up to it. parts_by: `uf` or `family`.
    left_out: the filters that were asked for and that the number cannot follow.
    """

    formula: str
    inputs: list[ReceiptInput]
    source: str
    run_id: int | None
    filter: str = ""
    parts_by: str = ""
    parts: list[ReceiptPart] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kpi:
    """One headline number. `value` is None when a file is missing: `missing` names its kind. Of
    savings it says `history` where demand does not go back far enough, and `whole_months` where no
    month of theirs lies whole within the dates.

    `unit` is one of `BRL`, `fraction`, `days`, `count`, `units`. `better` is `up`, `down` or ``.
    `previous`: None too where what it would be made of is not known from its first day on.
    `of_period`: it adds up the dates asked for, not those that it has by itself.
    """

    key: str
    value: float | None
    unit: str
    previous: float | None
    change: float | None
    target: float | None
    as_of: date | None
    better: str
    receipt: Receipt
    missing: str | None = None
    of_period: bool = False


@dataclass(frozen=True)
class DemandShare:
    """Demand of one family or UF; `kind` says which: `family` or `uf`."""

    kind: str
    value: str
    demand: float


AlertKind = Literal[
    "stockout_imminent",
    "below_reorder_point",
    "late_order",
    "excess",
    "dead_stock",
    "lead_time_drift",
    "forecast_drift",
    "data_gap",
]
AlertStatus = Literal["open", "acknowledged", "snoozed", "resolved"]
ALERT_STEPS = {
    "open": ("acknowledged", "snoozed", "resolved"),
    "acknowledged": ("resolved", "snoozed", "open"),
    "snoozed": ("acknowledged", "resolved", "open"),
    "resolved": ("open",),
}
"""What may become of an alert with a status, the most usual first."""


@dataclass(frozen=True)
class Alert:
    """Something that will hurt unless somebody acts; `facts` feed the message's template. net_brl:
    risk_brl less acting_brl, what acting costs. owner: the e-mail of who looks after it."""

    id: int
    level: str
    kind: str
    sku: str
    item_name: str | None
    unit: str | None
    site: str
    site_name: str | None
    uf: str | None
    stockout_on: date | None
    days_to_stockout: float | None
    risk_brl: float | None
    acting_brl: float | None
    net_brl: float | None
    status: str
    owner: str | None
    snoozed_until: datetime | None
    raised_at: datetime
    facts: dict[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectedDay:
    """Projected stock at the end of a day, in units of issue: with the demand that half of the
    simulated futures exceed (likely) and with that which one in ten exceeds (cautious)."""

    date: date
    likely: float
    cautious: float


@dataclass(frozen=True)
class ThresholdValue:
    """A threshold in force (see `domain.thresholds`), who set it and when; None: nobody did."""

    name: str
    value: float
    default: float
    unit: str
    low: float
    high: float
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True)
class PolicyMethod:
    """Where safety stocks come from (see `domain.policy_settings`), of which options; who chose it
    and when; None: nobody did."""

    value: str
    default: str
    options: list[str]
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True)
class CompanySettings:
    """What an administrator may change, as it is in force."""

    thresholds: list[ThresholdValue]
    method: PolicyMethod


@dataclass(frozen=True)
class AlertTotal:
    """Alerts of one status: their number, and their risk less the cost of acting, BRL. What may be
    missing of an item at a depot counts once, whatever a late order of it says as well. None where
    none of them has a risk."""

    status: str
    count: int
    net_brl: float | None


AdviceKind = Literal["REORDER", "EXPEDITE", "TRANSFER", "REDUCE", "SWITCH"]
AdviceStatus = Literal["open", "accepted", "snoozed", "done", "rejected"]
ADVICE_STEPS = {
    "open": ("accepted", "rejected", "snoozed", "done"),
    "accepted": ("open", "rejected", "done"),
    "snoozed": ("open", "accepted", "rejected", "done"),
    "rejected": ("open",),
    "done": ("open",),
}
"""What may become of a recommendation with a status."""


@dataclass(frozen=True)
class Recommendation:
    """Something to do about one material's stock. `facts` hold every number that went into it
    and, in `if_nothing`, what is expected if it is not done; `value_brl` is what doing it is worth
    net of its cost (None without a unit cost). `narrative` by language, from `narrative_source`:
    template or llm. priority: 1 now, 2 within a week, 3 later. The last decision about it, where
    there is one; accepted_quantity is what was accepted, which may be another than is needed by
    now (None unless it stands accepted)."""

    id: int
    kind: str
    priority: int
    sku: str
    item_name: str | None
    unit: str | None
    site: str
    site_name: str | None
    uf: str | None
    from_site: str | None
    from_site_name: str | None
    from_uf: str | None
    supplier: str | None
    supplier_name: str | None
    quantity: float | None
    act_by: date | None
    value_brl: float | None
    narrative: dict[str, str]
    narrative_source: str
    status: str
    raised_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    snoozed_until: datetime | None
    decision_id: int | None = None
    accepted_quantity: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def if_nothing(self) -> dict[str, float | str | None]:
        """What is expected if it is not done."""
        return self.facts.get("if_nothing") or {}


@dataclass(frozen=True)
class PurchaseRequest:
    """A purchase as it was accepted, whatever is needed by now: `request` is the number of the
    decision, the same in every run. Quantity in units of issue, to be ordered by `order_by`."""

    request: int
    supplier: str | None
    supplier_name: str | None
    sku: str
    item_name: str | None
    depot: str
    uf: str | None
    quantity: float
    unit: str | None
    unit_price_brl: float | None
    order_value_brl: float | None
    order_by: date | None
    decided_by: str
    decided_at: datetime
    note: str | None


@dataclass(frozen=True)
class RecommendationTotal:
    """How many recommendations have a status and what they are worth, None where nothing of it is
    known; `unvalued` of them have no value, for want of a unit cost."""

    status: str
    count: int
    value_brl: float | None
    unvalued: int


@dataclass(frozen=True)
class AdviceTotal:
    """What became of the recommendations of one kind: `count` that are known, of the published run
    and of those before it, and those that have gone since they were decided. By status, as it
    stands or was last decided; `gone` ones were open in an earlier run and are not there in
    this one; what goes while the same run is derived again leaves no trace. Values in BRL, None
    where none of it has one; `carried_out` is the value of what was accepted or done."""

    kind: str
    count: int
    open: int
    open_brl: float | None
    snoozed: int
    accepted: int
    done: int
    rejected: int
    gone: int
    carried_out_brl: float | None

    @property
    def decided(self) -> int:
        """Those that were accepted, done or rejected."""
        return self.accepted + self.done + self.rejected

    @property
    def followed(self) -> float | None:
        """The share of the decided ones that were accepted or done; None without a decision."""
        return (self.accepted + self.done) / self.decided if self.decided else None


@dataclass(frozen=True)
class ForecastPoint:
    """One forecast of one model for one item, site and date, with the actual where known. On the
    ensemble's, what an override puts in its place, where one is in force: policy and alerts follow
    that. `override_id` is its number."""

    sku: str
    site: str
    date: date
    model: str
    mean: float
    p10: float
    p50: float
    p90: float
    actual: float | None = None
    override_id: int | None = None
    override_mean: float | None = None
    override_p10: float | None = None
    override_p50: float | None = None
    override_p90: float | None = None


@dataclass(frozen=True)
class LevelPoint:
    """The ensemble's forecast for one date, summed to a level of `domain.levels`: an item or a
    family (of one unit) in an area, which is a UF's or region's code, or BR."""

    level: str
    sku: str | None
    family: str | None
    unit: str | None
    area: str
    date: date
    mean: float
    p025: float
    p10: float
    p50: float
    p90: float
    p975: float


@dataclass(frozen=True)
class LevelAccuracy:
    """The ensemble's backtest at one level, over its `nodes` in view; `naive_wape` is seasonal
    naive's on the same points. MASE and RMSSE are means over nodes."""

    level: str
    nodes: int
    points: int
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None
    coverage80: float | None
    coverage95: float | None
    naive_wape: float | None


@dataclass(frozen=True)
class DemandPoint:
    """What was consumed in the period that starts on `date`."""

    date: date
    quantity: float


@dataclass(frozen=True)
class TotalPoint:
    """One date of a total over many series. The band is None in the past."""

    date: date
    actual: float | None
    mean: float | None
    p10: float | None
    p90: float | None


@dataclass(frozen=True)
class Accuracy:
    """Backtest accuracy of one model over a series, a class or everything (see domain.accuracy).

    `mape` goes with `mape_coverage`: the share of points whose actual is above zero.
    """

    model: str
    points: int
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None
    mape: float | None
    mape_coverage: float | None
    coverage80: float | None
    weight: float | None = None
    demand_class: str | None = None
    series: int | None = None


@dataclass(frozen=True)
class ModelPerformance:
    """A model's backtest over the series of a demand class, or over everything (class None).

    Rates are of sums over all points; MASE and RMSSE are means over series. `fva` is the WAPE of
    seasonal naive on the same series minus the model's own: above 0 the model is worth its cost.
    `wins`: series where it has the lowest error of all. Of the class as a whole, whatever is in
    view: `weight` in the ensemble, `class_error` that decides it, `judged_on` (series of the sample
    that it was judged on; None for all). `seconds` are CPU-seconds of the whole training.
    """

    model: str
    demand_class: str | None
    series: int
    points: int
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None
    mape: float | None
    mape_coverage: float | None
    coverage80: float | None
    fva: float | None
    wins: int
    weight: float | None = None
    class_error: float | None = None
    judged_on: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class ModelStep:
    """A model's backtest, `step` periods ahead of the origin. `below` and `at_most`: shares of
    actuals below, and not above, p10, p50 and p90; a calibrated quantile lies between the two."""

    model: str
    step: int
    points: int
    wape: float | None
    bias: float | None
    below: tuple[float, float, float]
    at_most: tuple[float, float, float]


@dataclass(frozen=True)
class ClassChoice:
    """How the members of a demand class were chosen: error and weight of each candidate.

    `published_as_naive`: the ensemble lost to seasonal naive, which is published instead.
    `drop_above` times the best error is where a member is left out of the mean. `quantile_weights`:
    those of the quantiles, of intermittent demand by `quantile_errors` (pinball losses) and
    `drop_quantiles_above`; empty for a run that does not say.
    """

    demand_class: str
    errors: dict[str, float]
    weights: dict[str, float]
    judged_on: dict[str, int]
    drop_above: float | None
    published_as_naive: bool
    drop_quantiles_above: float | None = None
    quantile_errors: dict[str, float] = field(default_factory=dict)
    quantile_weights: dict[str, float] = field(default_factory=dict)

    def quantile_weight(self, model: str) -> float:
        """That of the mean where the run does not say."""
        return self.quantile_weights.get(model, self.weights[model])


@dataclass(frozen=True)
class BacktestPoint:
    """What one model said of one period, from an origin before it, and what was then demanded."""

    model: str
    origin: date
    date: date
    actual: float
    mean: float
    p10: float
    p90: float


@dataclass(frozen=True)
class Residuals:
    """What is left in a model's errors one period ahead, over `count` periods.

    `acf`: autocorrelation at 1, 2, … periods apart; within ± `bound` it is noise (95 %). `p` is
    that of the Ljung–Box test over `lags` lags, with a degree of freedom less for each of the
    `fitted` parameters (earlier runs counted none); from 0.05 on no pattern is left.
    """

    model: str
    count: int
    acf: list[float]
    bound: float
    lags: int
    ljung_box: float
    p: float
    fitted: int = 0


@dataclass(frozen=True)
class Decomposition:
    """Demand taken apart by STL: `actual` = `trend` + `season` + `rest`, in units of issue a period
    from `first_date` on. `outliers` are the places of rests that stand far out. Strengths are
    between 0 and 1."""

    frequency: str
    season_length: int
    first_date: date
    actual: list[float]
    trend: list[float]
    season: list[float]
    rest: list[float]
    outliers: list[int]
    trend_strength: float
    season_strength: float

    @property
    def dates(self) -> list[date]:
        """First days of the periods."""
        first, count = self.first_date, len(self.actual)
        if self.frequency != "M":
            step = timedelta(days=7 if self.frequency == "W" else 1)
            return [first + number * step for number in range(count)]
        months = range(first.month - 1, first.month - 1 + count)
        return [date(first.year + month // 12, month % 12 + 1, 1) for month in months]


@dataclass(frozen=True)
class SeriesDiagnostics:
    """Both of one series, where they exist."""

    residuals: Residuals | None
    decomposition: Decomposition | None


@dataclass(frozen=True)
class SeriesProfile:
    """What kind of demand a series is, and which models speak for it."""

    sku: str
    site: str
    demand_class: str
    adi: float | None
    cv2: float | None
    abc: str | None
    xyz: str | None
    first_date: date | None
    last_date: date | None
    champion: str | None
    weights: dict[str, float]
    fallback_reason: str | None


@dataclass(frozen=True)
class KpiRow:
    """What one item-depot adds to a KPI that is a sum at unit cost."""

    sku: str
    item_name: str | None
    family: str | None
    site: str
    uf: str | None
    quantity: float
    unit_cost_brl: float
    value_brl: float


@dataclass(frozen=True)
class Option:
    """One entry of a type-ahead list."""

    value: str
    label: str


@dataclass(frozen=True)
class Item:
    """One material of the catalogue."""

    sku: str
    name: str | None
    family: str | None
    unit: str | None
    unit_cost_brl: float | None
    criticality: float | None
    lead_time_days: float | None
    min_order_qty: float | None
    pack_size: float | None
    supplier: str | None
    supplier_name: str | None
    service_level: float | None
    shelf_life_days: float | None
    active: bool
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """One material with its demand, stock, forecast and alerts over the sites in view."""

    sku: str
    name: str | None
    family: str | None
    unit: str | None
    unit_cost_brl: float | None
    abc: str | None
    demand_class: str | None
    sites: int
    demand_90d: float
    demand_total: float
    forecast_horizon: float | None
    on_hand: float | None
    stock_value_brl: float | None
    days_of_supply: float | None
    wape: float | None
    open_alerts: int
    next_stockout_on: date | None


@dataclass(frozen=True)
class SitePosition:
    """Where one material stands at one site: stock, policy and days to stockout.

    stockout_probability: that the stock, with what arrives, does not last over the lead time; 1
    where there is none now.
    stockout_on follows the mean forecast; by stockout_p50_on stock has run out in half of the
    simulated futures, stockout_p90_on is the day for demand that one in ten exceeds. textbook_…:
    the levels by the textbook's formula, with the same order quantity.
    """

    site: str
    site_name: str | None
    uf: str | None
    demand_class: str | None
    demand_90d: float
    forecast_horizon: float | None
    on_hand: float | None
    on_order: float | None
    lead_time_days: float | None
    service_level: float | None
    safety_stock: float | None
    reorder_point: float | None
    textbook_safety_stock: float | None
    textbook_reorder_point: float | None
    order_up_to: float | None
    textbook_order_up_to: float | None
    stockout_probability: float | None
    stockout_on: date | None
    stockout_p50_on: date | None
    stockout_p90_on: date | None
    days_to_stockout: float | None
    wape: float | None
    open_alerts: int


STOCK_FLAGS = ("out", "below", "ok", "above", "unknown")


@dataclass(frozen=True)
class ItemDepot:
    """One item at one depot as a planner looks at it.

    days_of_supply: on hand at the pace of the forecast. risk_brl: what the units that may be
    missing over the lead time would cost. project_demand: what projects take in the lead time.
    `flag`: out (nothing available), below (what is available and on order, less project_demand, is
    at the reorder point or under it), above (it is over the order-up-to level), ok, or unknown
    without stock or policy. textbook_…, stockout_probability, stockout_p50_on and stockout_p90_on
    as in SitePosition.
    """

    sku: str
    item_name: str | None
    family: str | None
    unit: str | None
    site: str
    site_name: str | None
    uf: str | None
    flag: str
    abc: str | None
    xyz: str | None
    demand_class: str | None
    on_hand: float | None
    reserved: float | None
    in_transit: float | None
    on_order: float | None
    project_demand: float | None
    safety_stock: float | None
    reorder_point: float | None
    order_up_to: float | None
    lead_time_days: float | None
    service_level: float | None
    textbook_safety_stock: float | None
    textbook_reorder_point: float | None
    textbook_order_up_to: float | None
    stockout_probability: float | None
    demand_90d: float
    forecast_horizon: float | None
    days_of_supply: float | None
    days_to_stockout: float | None
    stockout_p50_on: date | None
    stockout_p90_on: date | None
    stock_value_brl: float | None
    risk_brl: float | None
    open_alerts: int


@dataclass(frozen=True)
class StockTotal:
    """Item-depots of one flag: their number, stock value and what is at risk, BRL; None where
    nothing of it is known."""

    flag: str
    count: int
    stock_value_brl: float | None
    risk_brl: float | None


@dataclass(frozen=True)
class StockCount:
    """What the ERP counted at the end of a day."""

    date: date
    on_hand: float
    reserved: float | None
    in_transit: float | None


@dataclass(frozen=True)
class DriverMonth:
    """An outside driver in one whole month beside the demand of an item-depot in it: the mean of
    the depot's UF, or of the country (`uf` is empty) where the driver is not known by UF."""

    driver: str
    uf: str
    month: date
    value: float
    quantity: float


@dataclass(frozen=True)
class OpenOrder:
    """One purchase-order line that had not arrived by the last day of the data. `received_on`: the
    later day on which it came; it is not late then, `days_late` is None."""

    order: str
    line: str
    supplier: str
    supplier_name: str | None
    site: str
    ordered_on: date | None
    promised_on: date | None
    received_on: date | None
    quantity: float
    received_qty: float | None
    unit_price_brl: float | None
    days_late: int | None


@dataclass(frozen=True)
class MaterialDetail:
    """Everything about one material, over the sites in view."""

    item: Item
    summary: Material
    positions: list[SitePosition]
    open_orders: list[OpenOrder]
    alerts: list[Alert]


@dataclass(frozen=True)
class AuditFilters:
    """What narrows the audit log: parts of the actor's and the object's name, an action or the
    beginning of its dotted name, and a span of time (`before` not included)."""

    actor: str = ""
    action: str = ""
    object: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class AuditRow:
    """Something that was done, tried or refused. `redacted`: it named somebody whose data were
    erased."""

    audit_id: int
    at: datetime
    actor: str
    role: str | None
    address: str | None
    request_id: str | None
    action: str
    object: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    status: int | None
    redacted: bool
