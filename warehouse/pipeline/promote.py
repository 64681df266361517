"""From `staging` to `core`, a file at a time: keys resolved, partitions made, rows upserted.

Everything happens in the caller's transaction and by plain inserts and updates, so readers are
never blocked: they see the file's rows when it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from domain.errors import InvalidInput
from warehouse.clock import TODAY
from warehouse.partitions import ensure_years, months
from warehouse.pipeline.fresh import FreshMonths
from warehouse.queries.daily import came, came_first_on
from warehouse.tables.core import MONTHLY

CODES = {"item": "sku", "site": "site", "supplier": "supplier", "contract": "contract"}
"""Tables that facts refer to by code, and the column that holds the code."""


@dataclass(frozen=True)
class Reference:
    """A staged column that names a row of another table; `alias` is that row in the SELECT."""

    staged: str
    table: str
    alias: str

    @property
    def code(self) -> str:
        return CODES[self.table]


@dataclass(frozen=True)
class Copied:
    """What COPY puts into a column: the staged value, or the number of the row of `reference` that
    it names; `empty` where there is none."""

    reference: Reference | None = None
    empty: int | str | None = None


@dataclass(frozen=True)
class Field:
    """A column of the target: filled by `expression` when `staged` is in the file.

    `absent` stands in when it is not; without it the column is left alone. `copied` says the same
    where no SQL is at work; None: only SQL can.
    """

    target: str
    staged: str
    expression: str
    absent: str | None = None
    copied: Copied | None = None


@dataclass(frozen=True)
class Promotion:
    """How the rows of one kind become rows of `core.<target>`. `identity` are the columns of the
    key that a row keeps, where `before` moves it to other values of the rest. `years` is the date
    that decides the year of a table with yearly partitions. `superseded`: what else to set where a
    row (`old`) is superseded; `{column}` is what a column holds from then on."""

    target: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    references: tuple[Reference, ...] = ()
    month_column: str = ""
    years: str = ""
    identity: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()


def _same(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, name, f's."{name}"', copied=Copied()) for name in names)


_ITEM = Reference("sku", "item", "item")
_SITE = Reference("site", "site", "site")
_SUPPLIER = Reference("supplier", "supplier", "supplier")
_CONTRACT = Reference("contract", "contract", "contract")

_ITEM_ID = Field("item_id", "sku", "item.item_id", copied=Copied(_ITEM))
_SITE_ID = Field("site_id", "site", "coalesce(site.site_id, 0)", "0", Copied(_SITE, 0))
_SUPPLIER_ID = Field(
    "supplier_id", "supplier", "coalesce(supplier.supplier_id, 0)", "0", Copied(_SUPPLIER, 0)
)
_CONTRACT_ID = Field("contract_id", "contract", "contract.contract_id")

_PENALTIES = """
coalesce((SELECT jsonb_agg(jsonb_build_object(
    'hours', split_part(band, ':', 1)::float8, 'percent', split_part(band, ':', 2)::float8))
  FROM unnest(string_to_array(s.penalty_schedule, ';')) AS band), '[]')
"""

_MATERIALS = """
jsonb_to_recordset(s.materials) AS m(sku text, quantity float8, needed_on date)
"""

_ORDER_THERE = """
SELECT there.{column} FROM core.purchase_order AS there
WHERE there.order_no = s."order" AND there.line = s.line
"""
_ORDERED_ON = f"""
coalesce(s.ordered_on, ({_ORDER_THERE.format(column="ordered_on")}),
    least(s.promised_on, s.received_on, {TODAY}))
"""
_ORDER_DATED = f"""
(s.ordered_on IS NOT NULL
    OR coalesce(({_ORDER_THERE.format(column="order_dated")}), false))
"""

_LAST_TOLD = f"""greatest(
    (SELECT max(date_to) FROM staging.load
        WHERE state = 'accepted' AND kind IN ('demand', 'stock')),
    least({TODAY} - 1, (SELECT max(greatest(ordered_on, received_on)) FROM staging.purchase_orders))
)"""
"""The day by which what a file of orders tells without a day has come: the last one that demand,
stock or, up to yesterday, these orders speak of. A count of that day has it."""

_RECEIVED_BY = f"""
(SELECT CASE
    WHEN (now.received_on, now.units) IS NOT DISTINCT FROM (old.received_on, {came("old")})
        THEN old.received_by
    WHEN now.units = 0 OR now.received_on IS NOT NULL AND {came("old")} = 0 THEN NULL
    ELSE coalesce((
        SELECT jsonb_object_agg(told.key, least(told.value::double precision, now.units))
        FROM jsonb_each_text(coalesce(old.received_by,
            jsonb_build_object({came_first_on("old")}, {came("old")}))) AS told
        WHERE told.value::double precision > 0 AND (now.received_on IS NULL
            OR told.key::date < now.received_on AND told.value::double precision < now.units)
    ), jsonb_build_object()) || CASE WHEN now.received_on IS NOT NULL OR now.units > {came("old")}
        THEN jsonb_build_object(coalesce(now.received_on, {_LAST_TOLD}), now.units)
        ELSE jsonb_build_object() END
    END
FROM (
    SELECT received_on, {came("line")} AS units FROM (SELECT {{received_on}} AS received_on,
        {{received_qty}} AS received_qty, {{quantity}} AS quantity) AS line
) AS now)
"""
"""What had come of an order line by which day, once a file tells of more, of less or of another
day. What was told before stays, as far as the line's units and the day of the newest receipt let
it."""

_TOLD = "status, planned_start, planned_end, actual_end, budget_brl, spent_brl, progress_pct".split(
    ", "
)
"""What a projects file says of a project on a day."""

# what is loaded late about an earlier day is history: the newest day says how things are
_NEWEST = f"""
NOT EXISTS (SELECT FROM core.project_status AS later WHERE later.project_id = p.project_id
    AND later.as_of > coalesce(s.as_of, {TODAY}))
"""
_PROJECT_STATUS = (
    f"INSERT INTO core.project_status (project_id, as_of, load_id, {', '.join(_TOLD)})"
    f" SELECT p.project_id, coalesce(s.as_of, {TODAY}),"
    f" s.load_id, {', '.join(f'p.{name}' for name in _TOLD)}"
    " FROM staging.projects AS s JOIN core.project AS p USING (project)"
    " ON CONFLICT (project_id, as_of) DO UPDATE SET load_id = excluded.load_id, "
    + ", ".join(f"{name} = excluded.{name}" for name in _TOLD),
    f"UPDATE core.project AS p SET ({', '.join(_TOLD)}) ="
    f" (SELECT {', '.join(f'newest.{name}' for name in _TOLD)} FROM core.project_status AS newest"
    "  WHERE newest.project_id = p.project_id ORDER BY as_of DESC LIMIT 1)"
    f" FROM staging.projects AS s WHERE s.project = p.project AND NOT ({_NEWEST})",
)

PROMOTIONS = {
    "suppliers": Promotion(
        "supplier", ("supplier",), _same("supplier", "name", "kind", "contract_lead_time_days")
    ),
    "items": Promotion(
        "item",
        ("sku",),
        (
            *_same("sku", "name", "family", "unit", "unit_cost_brl", "criticality"),
            *_same("lead_time_days", "min_order_qty", "pack_size", "service_level"),
            *_same("shelf_life_days", "equipment_kind", "units_per_failure"),
            Field("supplier_id", "supplier", "supplier.supplier_id"),
            Field("active", "active", "coalesce(s.active, true)"),
            Field("attributes", "attributes", "coalesce(s.attributes, '{}')"),
        ),
        (_SUPPLIER,),
    ),
    "contracts": Promotion(
        "contract",
        ("contract",),
        (
            *_same("contract", "customer", "availability_target_pct", "monthly_fee_brl"),
            *_same("cap_pct"),
            Field("penalty_schedule", "penalty_schedule", _PENALTIES),
        ),
    ),
    "sites": Promotion(
        "site",
        ("site",),
        (
            *_same("site", "name", "uf", "kind", "latitude", "longitude", "tier"),
            Field("depot_id", "depot", "depot.site_id"),
            _CONTRACT_ID,
        ),
        (Reference("depot", "site", "depot"), _CONTRACT),
    ),
    "demand": Promotion(
        "demand",
        ("item_id", "site_id", "date", "supplier_id", "order_ref"),
        (
            *_same("date", "quantity"),
            _ITEM_ID,
            _SITE_ID,
            _SUPPLIER_ID,
            Field("order_ref", "order_ref", "coalesce(s.order_ref, '')", "''", Copied(empty="")),
        ),
        (_ITEM, _SITE, _SUPPLIER),
        month_column="date",
    ),
    "stock": Promotion(
        "stock",
        ("item_id", "site_id", "date"),
        (*_same("date", "on_hand", "reserved", "in_transit"), _ITEM_ID, _SITE_ID),
        (_ITEM, _SITE),
        month_column="date",
    ),
    "purchase_orders": Promotion(
        "purchase_order",
        ("order_no", "line", "ordered_on"),
        (
            Field("order_no", "order", 's."order"'),
            *_same("line", "quantity", "requested_on", "promised_on"),
            Field("ordered_on", "line", _ORDERED_ON),
            Field("order_dated", "line", _ORDER_DATED),
            *_same("received_on", "received_qty", "unit_price_brl", "status"),
            _ITEM_ID,
            _SUPPLIER_ID,
            Field("site_id", "site", "coalesce(site.site_id, 0)"),
        ),
        (_ITEM, _SUPPLIER, _SITE),
        years=_ORDERED_ON,
        identity=("order_no", "line"),
        superseded=(
            "first_promised_on = coalesce(old.first_promised_on, old.promised_on)",
            f"received_by = {_RECEIVED_BY}",
        ),
        # the date is part of the partitioned key: an order whose date was corrected moves
        before=(
            "UPDATE core.purchase_order AS t SET ordered_on = s.ordered_on, load_id = s.load_id"
            " FROM staging.purchase_orders AS s"
            ' WHERE t.order_no = s."order" AND t.line = s.line'
            " AND t.ordered_on <> s.ordered_on",
        ),
    ),
    "outages": Promotion(
        "outage",
        ("outage",),
        (
            *_same("outage", "started_at", "ended_at", "cause"),
            Field("site_id", "site", "site.site_id"),
            Field("item_waited_for_id", "sku_waited_for", "item.item_id"),
            _CONTRACT_ID,
        ),
        (_SITE, Reference("sku_waited_for", "item", "item"), _CONTRACT),
    ),
    "projects": Promotion(
        "project",
        ("project",),
        (
            *_same("project", "name", "uf", "status", "planned_start", "planned_end"),
            *_same("actual_end", "budget_brl", "spent_brl", "progress_pct"),
        ),
        after=(
            *_PROJECT_STATUS,
            "INSERT INTO core.item (sku) SELECT DISTINCT m.sku"
            f" FROM staging.projects AS s, {_MATERIALS}"
            " ORDER BY 1 ON CONFLICT (sku) DO NOTHING",
            "DELETE FROM core.project_material AS t USING core.project AS p,"
            " staging.projects AS s WHERE t.project_id = p.project_id"
            f" AND p.project = s.project AND s.materials IS NOT NULL AND {_NEWEST}",
            "INSERT INTO core.project_material (project_id, item_id, needed_on, quantity)"
            " SELECT p.project_id, i.item_id, m.needed_on, sum(m.quantity)"
            f" FROM staging.projects AS s JOIN core.project AS p USING (project), {_MATERIALS}"
            f" JOIN core.item AS i ON i.sku = m.sku WHERE {_NEWEST} GROUP BY 1, 2, 3",
        ),
    ),
    "equipment": Promotion(
        "equipment_reading",
        ("equipment", "measured_at"),
        (
            *_same("equipment", "measured_at", "kind", "failure", "failure_kind"),
            Field("site_id", "site", "site.site_id", copied=Copied(_SITE)),
            Field("readings", "readings", "coalesce(s.readings, '{}')", copied=Copied(empty="{}")),
        ),
        (_SITE,),
        month_column="measured_at",
    ),
    "tower_kpis": Promotion(
        "tower_kpi",
        ("site_id", "date"),
        (
            *_same("date", "availability_pct", "latency_ms", "throughput_mbps"),
            *_same("drop_rate_pct", "energy_kwh", "traffic_gb"),
            Field("site_id", "site", "site.site_id", copied=Copied(_SITE)),
        ),
        (_SITE,),
        month_column="date",
    ),
    "drivers": Promotion(
        "driver",
        ("driver", "uf", "date"),
        (*_same("driver", "date", "value"), Field("uf", "uf", "coalesce(s.uf, '')", "''")),
    ),
}


def promote(
    connection: Connection,
    kind: str,
    load_id: int,
    *,
    staged: list[str],
    first: date | None,
    last: date | None,
    codes: Callable[[str], set[str] | None],
) -> None:
    """Upserts the kind's staged rows into `core`, by key, under `load_id`.

    Codes that no file has described yet get a row of their own, to be filled by a later file.
    Columns that the file lacks keep their values. `first` and `last` bound the rows' dates; `codes`
    gives what a staged column names, where that is known.
    No two staged rows may have the same key.
    """
    plan = PROMOTIONS[kind]
    _refuse_archived(connection, kind, plan)
    references = [each for each in plan.references if each.staged in staged]
    for reference in references:
        _name_staged(connection, kind, reference, codes(reference.staged))
    if plan.years:
        placed = f"SELECT min(date), max(date) FROM (SELECT {plan.years} AS date {{source}}) AS row"
        span = connection.execute(text(placed.format(source=f"FROM staging.{kind} AS s"))).one()
        if span[0]:
            ensure_years(connection, f"core.{plan.target}", *span)
    for statement in plan.before:
        connection.execute(text(statement))
    insertion = _Insertion(kind, plan, references, staged)
    if first and last and plan.month_column:
        _insert_by_month(connection, insertion, plan, load_id, first, last)
    else:
        connection.execute(text(insertion.upsert()), {"load_id": load_id})
    for statement in plan.after:
        connection.execute(text(statement))


def what_is_there(connection: Connection, kind: str, staged: list[str]) -> tuple[int, int]:
    """How many staged rows would replace another value in `core`, and how many are there as they
    are. The others are new."""
    plan = PROMOTIONS[kind]
    _refuse_archived(connection, kind, plan)
    references = [each for each in plan.references if each.staged in staged]
    sql = _Insertion(kind, plan, references, staged).compare()
    changed, same = connection.execute(text(sql)).one()
    return changed, same


def _refuse_archived(connection: Connection, kind: str, plan: Promotion) -> None:
    """Raises InvalidInput for staged rows of a month whose other rows are in the archive."""
    if not plan.month_column or plan.target not in MONTHLY:
        return
    met = connection.execute(
        text(
            f"SELECT month FROM core.archived_month WHERE table_name = '{plan.target}' AND EXISTS ("
            f"SELECT FROM staging.{kind} AS s WHERE s.{plan.month_column} >= month"
            f" AND s.{plan.month_column} < month + interval '1 month') ORDER BY month LIMIT 1"
        )
    ).scalar()
    if met is not None:
        raise InvalidInput(
            f"{met:%Y-%m} is archived and the file has rows of it: bring it back first"
            f" (flask restore-archive {met:%Y-%m}), or leave those rows out."
        )


def _insert_by_month(
    connection: Connection,
    insertion: _Insertion,
    plan: Promotion,
    load_id: int,
    first: date,
    last: date,
) -> None:
    """Fills the months without a partition on their own; upserts the others."""
    column = plan.month_column
    months_of = FreshMonths(connection, f"core.{plan.target}", column)
    wanted = [start for start, _ in months(first, last)]
    fresh = [start for start in wanted if months_of.has(start)]
    values = {"load_id": load_id, "fresh": fresh}
    month = f"date_trunc('month', s.{column}::timestamp)::date"
    if fresh:
        for start in fresh:
            months_of.open(start)
        where = "" if fresh == wanted else f" WHERE {month} = ANY(CAST(:fresh AS date[]))"
        connection.execute(text(insertion.into(months_of.parent) + where), values)
        months_of.attach()
    if fresh != wanted:
        where = f" WHERE {month} <> ALL(CAST(:fresh AS date[]))" if fresh else ""
        connection.execute(text(insertion.upsert(where)), values)


def _name_staged(
    connection: Connection, kind: str, reference: Reference, known: set[str] | None
) -> None:
    if known is None:
        source = f"SELECT DISTINCT {reference.staged} AS code FROM staging.{kind}"
        connection.execute(text(_name_unknown(reference, source)))
    else:
        name_codes(connection, reference, known)


def name_codes(connection: Connection, reference: Reference, codes: Iterable[str]) -> None:
    """Gives each code that no file has described yet a row of its own."""
    source = "SELECT unnest(CAST(:codes AS text[])) AS code"
    connection.execute(text(_name_unknown(reference, source)), {"codes": sorted(codes)})


def _name_unknown(reference: Reference, source: str) -> str:
    return (
        f"INSERT INTO core.{reference.table} ({reference.code})"
        f" SELECT named.code FROM ({source}) AS named"
        f" LEFT JOIN core.{reference.table} AS known ON known.{reference.code} = named.code"
        f" WHERE named.code IS NOT NULL AND known.{reference.code} IS NULL ORDER BY 1"
    )


class _Insertion:
    """The statements that put the staged rows of a kind into its target."""

    def __init__(
        self, kind: str, plan: Promotion, references: list[Reference], staged: list[str]
    ) -> None:
        values = {field.target: _expression(field, staged) for field in plan.fields}
        self._filled = {name: value for name, value in values.items() if value is not None}
        given = [field.target for field in plan.fields if field.staged in staged]
        self._updated = [name for name in given if name not in plan.key]
        self._kind, self._plan, self._references = kind, plan, references

    def _from(self) -> str:
        joins = "".join(
            f" LEFT JOIN core.{each.table} AS {each.alias}"
            f" ON {each.alias}.{each.code} = s.{each.staged}"
            for each in self._references
        )
        return f" FROM staging.{self._kind} AS s{joins}"

    def into(self, table: str) -> str:
        """Plainly into a table that holds none of the keys."""
        return (
            f"INSERT INTO {table} ({', '.join(self._filled)}, load_id)"
            f" SELECT {', '.join(self._filled.values())}, CAST(:load_id AS integer)"
            f"{self._from()}"
        )

    def compare(self) -> str:
        """Counts the rows whose key is in the target: with other values, and with the same."""
        kept = self._plan.identity or self._plan.key
        compared = [*self._updated, *(name for name in self._plan.key if name not in kept)]
        keys = " AND ".join(f"old.{name} = {self._filled[name]}" for name in kept)
        old = ", ".join(f"old.{name}" for name in compared)
        new = ", ".join(self._filled[name] for name in compared)
        differs = f"({old}) IS DISTINCT FROM ({new})" if compared else "false"
        return (
            f"SELECT count(*) FILTER (WHERE {differs}), count(*) FILTER (WHERE NOT ({differs}))"
            f"{self._from()} JOIN core.{self._plan.target} AS old ON {keys}"
        )

    def upsert(self, where: str = "") -> str:
        """Into the target; a row whose key is there supersedes it if it says anything else.

        A row that says the same is left alone, so that loading a longer export of the same
        history rewrites nothing; it keeps the load that it came with.
        """
        into = self.into(f"core.{self._plan.target} AS old")
        conflict = f"{into}{where} ON CONFLICT ({', '.join(self._plan.key)})"
        if not self._updated:
            return f"{conflict} DO NOTHING"
        given = (f"{name} = excluded.{name}" for name in (*self._updated, "load_id"))
        names = [field.target for field in self._plan.fields]
        now = {name: f"{'excluded' if name in self._updated else 'old'}.{name}" for name in names}
        sets = ", ".join((*given, *(each.format_map(now) for each in self._plan.superseded)))
        old = ", ".join(f"old.{name}" for name in self._updated)
        new = ", ".join(f"excluded.{name}" for name in self._updated)
        return f"{conflict} DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"


def _expression(field: Field, staged: list[str]) -> str | None:
    return field.expression if field.staged in staged else field.absent
