"""The canonical ERP files: their kinds, columns, types, limits and keys.

The single description that the loader checks against, the staging tables are made from and the
documentation lists. Quantities are in the item's unit of issue, money in BRL, times in days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.drivers import OWN_DRIVERS

TEXT_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
SUFFIXES = (*TEXT_SUFFIXES, ".xlsx", ".parquet")
"""How the name of an ERP file ends."""


class Type(StrEnum):
    """How a cell is read."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One column of a canonical file. `minimum` and `maximum` are inclusive. `taken` are texts that
    no cell may be: they stand for something else. Where it `happened`, what it tells is past: no
    cell may lie in the future."""

    name: str
    type: Type = Type.TEXT
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    happened: bool = False
    help: str = ""


@dataclass(frozen=True)
class FileKind:
    """One kind of canonical file. `key` identifies a row: a later file supersedes by it.

    `extra` names the JSONB column that takes every column not listed, or None: unknown columns
    are then an error. Of the columns `one_of` a row holds at least one. Of each pair `in_order` the
    first must not lie after the second; those of each pair `apart` must not be the same.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    shows: str
    extra: str | None = None
    extra_numeric: bool = False
    one_of: tuple[str, ...] = ()
    in_order: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name; raises KeyError."""
        return {column.name: column for column in self.columns}[name]


UFS = tuple(
    [
        "AC",
        "AL",
        "AM",
        "AP",
        "BA",
        "CE",
        "DF",
        "ES",
        "GO",
        "MA",
        "MG",
        "MS",
        "MT",
        "PA",
        "PB",
        "PE",
        "PI",
        "PR",
        "RJ",
        "RN",
        "RO",
        "RR",
        "RS",
        "SC",
        "SE",
        "SP",
        "TO",
    ]
)


def _text(name: str, required: bool = False, **more: object) -> Column:
    return Column(name, Type.TEXT, required, **more)  # type: ignore[arg-type]


def _number(name: str, required: bool = False, minimum: float | None = 0, **more: object) -> Column:
    return Column(name, Type.NUMBER, required, minimum, **more)  # type: ignore[arg-type]


def _date(name: str, required: bool = False, happened: bool = False) -> Column:
    return Column(name, Type.DATE, required, happened=happened)


def _moment(name: str, required: bool = False) -> Column:
    return Column(name, Type.TIMESTAMP, required, happened=True)


_ALL = (
    FileKind(
        "suppliers",
        (
            _text("supplier", True),
            _text("name"),
            _text("kind", choices=("domestic", "import")),
            _number("contract_lead_time_days"),
        ),
        ("supplier",),
        "supplier names, origin and contracted lead times",
    ),
    FileKind(
        "items",
        (
            _text("sku", True),
            _text("name"),
            _text("family"),
            _text("unit"),
            _number("unit_cost_brl"),
            _number("criticality", maximum=10),
            _number("lead_time_days"),
            _number("min_order_qty"),
            _number("pack_size"),
            _text("supplier"),
            _number("service_level", maximum=1),
            _number("shelf_life_days"),
            Column("active", Type.BOOLEAN),
            _text("equipment_kind", help="kind of equipment whose failure takes this part"),
            _number("units_per_failure", help="units of it that a failure takes, 1 if not given"),
        ),
        ("sku",),
        "names, families, units, costs and lead times of the materials",
        extra="attributes",
    ),
    FileKind(
        "contracts",
        (
            _text("contract", True),
            _text("customer"),
            _number("availability_target_pct", maximum=100),
            _text("penalty_schedule", help="downtime hours:percent of the fee, as 7.3:2;14.6:5"),
            _number("monthly_fee_brl"),
            _number("cap_pct", maximum=100),
        ),
        ("contract",),
        "availability contracts, their penalties and fees",
    ),
    FileKind(
        "sites",
        (
            _text("site", True),
            _text("name"),
            _text("uf", choices=UFS),
            _text("kind", choices=("tower", "depot")),
            _text("depot"),
            _number("latitude", minimum=-90, maximum=90),
            _number("longitude", minimum=-180, maximum=180),
            _text("tier"),
            _text("contract"),
        ),
        ("site",),
        "depots and towers, their state and position",
        apart=(("depot", "site"),),
    ),
    FileKind(
        "demand",
        (
            _date("date", True, happened=True),
            _text("sku", True),
            _number("quantity", True, minimum=None, help="below 0: a return"),
            _text("site"),
            _text("supplier"),
            _text("order_ref"),
        ),
        ("date", "sku", "site", "supplier", "order_ref"),
        "what was consumed where and when: the root of every forecast",
    ),
    FileKind(
        "stock",
        (
            _date("date", True, happened=True),
            _text("sku", True),
            _text("site", True),
            _number("on_hand", True),
            _number("reserved"),
            _number("in_transit"),
        ),
        ("date", "sku", "site"),
        "stock on hand, days to stockout, inventory value and stock alerts",
    ),
    FileKind(
        "purchase_orders",
        (
            _text("order", True),
            _text("line", True),
            _text("sku", True),
            _text("supplier", True),
            _date("ordered_on", happened=True),
            _number("quantity", True),
            _text("site"),
            _date("requested_on"),
            _date("promised_on"),
            _date("received_on", happened=True),
            _number("received_qty"),
            _number("unit_price_brl"),
            _text("status"),
        ),
        ("order", "line"),
        "open orders, lead times and supplier performance",
        one_of=("ordered_on", "promised_on", "received_on"),
        in_order=(("ordered_on", "received_on"),),
    ),
    FileKind(
        "outages",
        (
            _text("outage", True),
            _text("site", True),
            _moment("started_at", True),
            _moment("ended_at"),
            _text("cause"),
            _text("sku_waited_for"),
            _text("contract"),
        ),
        ("outage",),
        "downtime, availability and the parts that were waited for",
        in_order=(("started_at", "ended_at"),),
    ),
    FileKind(
        "projects",
        (
            _text("project", True),
            _text("name"),
            _text("uf", choices=UFS),
            _text("status"),
            _date("planned_start"),
            _date("planned_end"),
            _date("actual_end"),
            _number("budget_brl"),
            _number("spent_brl"),
            _number("progress_pct", maximum=100),
            Column("materials", Type.JSON, help='[{"sku", "quantity", "needed_on"}]'),
            Column(
                "as_of",
                Type.DATE,
                happened=True,
                help="the day that the row speaks of; that of the load",
            ),
        ),
        ("project",),
        "projects, their progress and the materials that they will need",
        in_order=(("planned_start", "planned_end"),),
    ),
    FileKind(
        "equipment",
        (
            _text("equipment", True),
            _text("site", True),
            _text("kind"),
            _moment("measured_at", True),
            Column("failure", Type.INTEGER, minimum=0, maximum=1),
            _text("failure_kind"),
        ),
        ("equipment", "measured_at"),
        "equipment readings and failures",
        extra="readings",
        extra_numeric=True,
    ),
    FileKind(
        "tower_kpis",
        (
            _text("site", True),
            _date("date", True, happened=True),
            _number("availability_pct", maximum=100),
            _number("latency_ms"),
            _number("throughput_mbps"),
            _number("drop_rate_pct", maximum=100),
            _number("energy_kwh"),
            _number("traffic_gb"),
        ),
        ("site", "date"),
        "tower performance",
    ),
    FileKind(
        "drivers",
        (
            _date("date", True),
            _text("driver", True, taken=OWN_DRIVERS),
            _number("value", True, minimum=None),
            _text("uf", choices=UFS),
        ),
        ("date", "driver", "uf"),
        "outside drivers: weather, exchange rate, roll-out",
    ),
)

KINDS: dict[str, FileKind] = {kind.name: kind for kind in _ALL}
"""Every kind by name, in the order in which a folder is loaded (what is referred to, first)."""

TRAINING_KINDS = ("demand", "items", "sites", "drivers", "equipment", "tower_kpis")
"""The kinds that a training run reads: a newer load of one of them calls for a new run."""
