"""Schema `analytics`: published results, each row under its run.

A run is loaded while nobody reads it and becomes visible when `published` points at it. Rates are
fractions 0-1, money is BRL, quantities are in the item's unit of issue, durations in days.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.suppliers import LATER_DAYS
from warehouse.tables.base import double, identity, metadata, moment

run = Table(
    "run",
    metadata,
    identity("run_id"),
    Column("bundle", Text, nullable=False),
    Column("manifest_sha256", Text, nullable=False, unique=True),
    Column("manifest", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("frequency", String(1), nullable=False),
    Column("horizon", SmallInteger, nullable=False),
    Column("data_from", Date, nullable=False),
    Column("data_to", Date, nullable=False),
    Column("metrics", JSONB, nullable=False, server_default=text("'{}'")),
    moment("computed_at"),
    moment("loaded_at", default_now=True),
    CheckConstraint("state IN ('loading', 'ready', 'dropped')", name="state"),
    CheckConstraint("frequency IN ('D', 'W', 'M')", name="frequency"),
    schema="analytics",
)

published = Table(
    "published",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default="true"),
    Column("run_id", ForeignKey(run.c.run_id), nullable=False),
    Column("previous_run_id", ForeignKey(run.c.run_id)),
    Column("published_by", Text, nullable=False),
    moment("published_at", default_now=True),
    CheckConstraint("singleton", name="singleton"),
    schema="analytics",
)

revision = Table(
    "revision",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default="true"),
    Column("number", BigInteger, nullable=False),
    Column("load_id", Integer),
    Column("derived", BigInteger),
    CheckConstraint("singleton", name="singleton"),
    schema="analytics",
)
"""Counted up by every write that changes what is shown: part of the data version. `load_id` is
the last load that the materialized views hold, null where they do not hold what came or went
otherwise, `derived` the number at which the published run was
last derived again without one."""

_SERIES = ("run_id", "item_id", "site_id")


def _series_columns() -> list[Column]:
    return [Column(name, Integer, nullable=False) for name in _SERIES]


def _quantiles() -> list[Column]:
    return [double(name, nullable=False) for name in ("mean", "p10", "p50", "p90")]


forecast = Table(
    "forecast",
    metadata,
    *_series_columns(),
    Column("model", Text, nullable=False),
    Column("date", Date, nullable=False),
    *_quantiles(),
    PrimaryKeyConstraint(*_SERIES, "model", "date"),
    Index("ix_forecast_model", "run_id", "model", "date"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)

backtest = Table(
    "backtest",
    metadata,
    *_series_columns(),
    Column("model", Text, nullable=False),
    Column("origin", Date, nullable=False),
    Column("date", Date, nullable=False),
    double("actual", nullable=False),
    *_quantiles(),
    PrimaryKeyConstraint(*_SERIES, "model", "origin", "date"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)

forecast_accuracy = Table(
    "forecast_accuracy",
    metadata,
    *_series_columns(),
    Column("model", Text, nullable=False),
    Column("demand_class", Text, nullable=False),
    Column("points", Integer, nullable=False),
    *(double(name) for name in ("wape", "mase", "rmsse", "bias", "mape")),
    *(double(name) for name in ("mape_coverage", "coverage80")),
    *(double(name) for name in ("abs_error_sum", "error_sum", "actual_sum", "pct_error_sum")),
    Column("pct_points", Integer),
    Column("covered80_points", Integer),
    PrimaryKeyConstraint(*_SERIES, "model"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)

series_profile = Table(
    "series_profile",
    metadata,
    *_series_columns(),
    Column("demand_class", Text, nullable=False),
    double("adi"),
    double("cv2"),
    Column("abc", String(1)),
    Column("xyz", String(1)),
    Column("first_date", Date),
    Column("last_date", Date),
    Column("periods", Integer, nullable=False),
    Column("nonzero", Integer, nullable=False),
    double("mean"),
    double("std"),
    Column("season_length", SmallInteger),
    Column("champion", Text),
    Column("weights", JSONB, nullable=False, server_default=text("'{}'")),
    Column("fallback_reason", Text),
    PrimaryKeyConstraint(*_SERIES),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)

_LEVEL = ("run_id", "level", "item_id", "family", "unit", "area")


def _level_columns() -> list[Column]:
    kinds = {"run_id": Integer, "item_id": Integer}
    return [Column(name, kinds.get(name, Text), nullable=False) for name in _LEVEL]


level_forecast = Table(
    "level_forecast",
    metadata,
    *_level_columns(),
    Column("date", Date, nullable=False),
    *(double(name, nullable=False) for name in ("mean", "p025", "p10", "p50", "p90", "p975")),
    PrimaryKeyConstraint(*_LEVEL, "date"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""The ensemble's forecasts summed to the levels of `domain.levels`: item_id 0 and family '' where
a level has none; `area` is a UF's or region's code, or BR."""

level_accuracy = Table(
    "level_accuracy",
    metadata,
    *_level_columns(),
    Column("model", Text, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in ("points", "covered80_points", "covered95_points")
    ),
    *(double(name) for name in ("mase", "rmsse")),
    *(double(name, nullable=False) for name in ("abs_error_sum", "error_sum", "actual_sum")),
    PrimaryKeyConstraint(*_LEVEL, "model"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""The backtest of each level's nodes, and of the depots themselves (level item_depot, `area` the
site's code)."""

series_diagnostics = Table(
    "series_diagnostics",
    metadata,
    *_series_columns(),
    Column("residuals", JSONB),
    Column("decomposition", JSONB),
    PrimaryKeyConstraint(*_SERIES),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""What is left in the errors of a series' model, and its demand taken apart: see
`domain.records.Residuals` and `Decomposition`."""

cluster = Table(
    "cluster",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("family", Text, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("name", JSONB, nullable=False),
    Column("size", Integer, nullable=False),
    *(double(name) for name in ("silhouette", "failure_rate", "mean_risk")),
    Column("profile", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("run_id", "family", "number"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""`name` by locale; `profile`: of each feature the members' median, that of all, and how many
spreads the centre lies from the middle."""

cluster_member = Table(
    "cluster_member",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("family", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("site_id", Integer, nullable=False, index=True),
    Column("kind", Text),
    Column("number", SmallInteger, nullable=False),
    Column("previous_number", SmallInteger),
    Column("next_number", SmallInteger),
    *(double(name) for name in ("distance", "silhouette")),
    Column("features", JSONB, nullable=False, server_default=text("'{}'")),
    Column("pulls", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("run_id", "family", "member"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""`previous_number`: the cluster one window before; `next_number`: the second nearest one; `pulls`:
which features keep the member where it is."""

failure_risk = Table(
    "failure_risk",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("site_id", Integer, nullable=False, index=True),
    Column("kind", Text),
    Column("measured_on", Date),
    double("probability", nullable=False),
    Column("horizon_days", SmallInteger, nullable=False),
    Column("reasons", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("run_id", "equipment"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)

parts_demand = Table(
    "parts_demand",
    metadata,
    *_series_columns(),
    Column("equipment_kind", Text, nullable=False),
    Column("machines", Integer, nullable=False),
    *_quantiles(),
    PrimaryKeyConstraint(*_SERIES, "equipment_kind"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""Units of a part that failures expected within the horizon of the risk will take at a depot."""

tower_trend = Table(
    "tower_trend",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("metric", Text, nullable=False),
    double("per_month"),
    Column("changed_on", Date),
    *(double(name) for name in ("before", "after", "p")),
    PrimaryKeyConstraint("run_id", "site_id", "metric"),
    schema="analytics",
    postgresql_partition_by="LIST (run_id)",
)
"""The slope of a tower's figure in 30 days, and the day on which its level broke, if it did."""

PER_RUN = (
    *(forecast, backtest, forecast_accuracy, series_profile),
    *(level_forecast, level_accuracy, series_diagnostics),
    *(cluster, cluster_member, failure_risk, parts_demand, tower_trend),
)
"""Tables with one partition a run, named `<table>_r<run_id>`: filled by COPY, then attached."""


def _run_id(*, primary_key: bool = False) -> Column:
    return Column(
        "run_id",
        ForeignKey(run.c.run_id, ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


accuracy_by_step = Table(
    "accuracy_by_step",
    metadata,
    _run_id(primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("demand_class", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("step", SmallInteger, primary_key=True),
    Column("points", Integer, nullable=False),
    *(double(name, nullable=False) for name in ("abs_error_sum", "error_sum", "actual_sum")),
    *(
        Column(f"{name}{level}", Integer, nullable=False)
        for name in ("below", "at_most")
        for level in (10, 50, 90)
    ),
    schema="analytics",
)
"""Sums of the backtest, `step` periods ahead of the origin; `below10` counts the actuals below p10,
`at_most10` those not above it."""

override_in_force = Table(
    "override_in_force",
    metadata,
    _run_id(primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("override_id", Integer, nullable=False),
    *_quantiles(),
    schema="analytics",
)
"""What overrides put in the place of a run's ensemble, as of its last derivation. The view
`analytics.effective_forecast` is the ensemble with these in their place."""

policy = Table(
    "policy",
    metadata,
    _run_id(primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    double("on_hand"),
    double("on_order"),
    double("reserved"),
    Column("stock_date", Date),
    double("lead_time_days"),
    Column("lead_time_source", Text),
    double("service_level"),
    double("daily_demand"),
    double("lead_time_demand"),
    double("safety_stock"),
    double("reorder_point"),
    double("textbook_safety_stock"),
    double("textbook_reorder_point"),
    double("order_up_to"),
    double("stockout_probability"),
    Column("stockout_on", Date),
    Column("stockout_p50_on", Date),
    Column("stockout_p90_on", Date),
    double("days_to_stockout"),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    Index("ix_policy_site_id", "run_id", "site_id"),
    schema="analytics",
)

projection = Table(
    "projection",
    metadata,
    _run_id(primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("first_on", Date, nullable=False),
    Column("likely", LargeBinary, nullable=False),
    Column("cautious", LargeBinary, nullable=False),
    schema="analytics",
)
"""Stock of each day from `first_on` on, net of demand and with what arrives, as little-endian
4-byte floats: where demand is what half of the simulated futures exceed, and what one in ten
does."""

project_need = Table(
    "project_need",
    metadata,
    _run_id(primary_key=True),
    Column("project_id", Integer, primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("needed_on", Date, primary_key=True),
    Column("site_id", Integer),
    Column("expected_on", Date, nullable=False),
    double("quantity", nullable=False),
    *(double(name) for name in ("on_hand", "arriving", "projected", "shortage", "lead_time_days")),
    *(Column(f"stockout{which}_on", Date) for which in ("", "_as_planned", "_without")),
    schema="analytics",
)
"""Materials that projects will take (`core.project_material`), with the depot that serves each and
the stock that they find there on the day that is to be expected."""

replay_input = Table(
    "replay_input",
    metadata,
    _run_id(primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("history", LargeBinary, nullable=False),
    double("penalty_brl"),
    schema="analytics",
)
"""What what-ifs start from besides the policy: `history`, demand by day up to the run's last one,
as little-endian 4-byte floats; `penalty_brl`, the contract penalty to be expected of a
request that stock does not serve."""

service_curve = Table(
    "service_curve",
    metadata,
    _run_id(primary_key=True),
    Column("service_level", Double, primary_key=True),
    Column("abc", String(1), primary_key=True),
    Column("site_id", Integer, primary_key=True),
    *(
        double(name, nullable=False)
        for name in (
            *("items", "stock_value", "asked", "served", "lines", "full_lines"),
            *("orders", "penalty_brl", "annual_cost_brl"),
        )
    ),
    schema="analytics",
)
"""A simulated year of the items of a class at a site, all of them at this cycle service; 0 stands
for each item's own, as the policy has it. Sums over `items` of a mean year."""

savings = Table(
    "savings",
    metadata,
    _run_id(primary_key=True),
    Column("month", Date, primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("basis", Text, nullable=False),
    *(
        double(f"{side}_{part}", nullable=False)
        for side in ("old", "new")
        for part in ("holding", "stockout", "expediting", "ordering", "stock", "missed")
    ),
    Column("accepted", Boolean, nullable=False),
    double("realised_brl"),
    CheckConstraint("basis IN ('textbook', 'recorded')", name="basis"),
    schema="analytics",
)
"""Each month of the replay, first day: the old policy's costs and ours in BRL, mean stock in units,
requests missed. `basis`: the old side is the textbook replayed, or what the files recorded.
`accepted`: a recommendation for it was accepted; `realised_brl`: in the months after that, the old
policy's costs less the recorded ones."""

alert = Table(
    "alert",
    metadata,
    identity("id", big=True),
    Column("run_id", ForeignKey(run.c.run_id, ondelete="CASCADE"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("stockout_on", Date),
    double("days_to_stockout"),
    double("risk_brl"),
    double("acting_brl"),
    double("net_brl"),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("status", Text, nullable=False, server_default="open"),
    Column("owner_id", ForeignKey("support.user.user_id", ondelete="SET NULL"), index=True),
    moment("raised_at", default_now=True),
    moment("snoozed_until"),
    CheckConstraint("level IN ('critical', 'warning', 'info')", name="level"),
    CheckConstraint("status IN ('open', 'acknowledged', 'snoozed', 'resolved')", name="status"),
    UniqueConstraint("run_id", "fingerprint"),
    Index("ix_alert_rank", "run_id", "status", text("net_brl DESC NULLS LAST")),
    Index("ix_alert_item_id_site_id", "run_id", "item_id", "site_id"),
    schema="analytics",
)

recommendation = Table(
    "recommendation",
    metadata,
    identity("id", big=True),
    Column("run_id", ForeignKey(run.c.run_id, ondelete="CASCADE"), nullable=False, index=True),
    Column("fingerprint", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("item_id", Integer, nullable=False),
    Column("site_id", Integer, nullable=False),
    Column("from_site_id", Integer),
    Column("supplier_id", Integer),
    double("quantity"),
    Column("act_by", Date),
    double("value_brl"),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("narrative", JSONB, nullable=False, server_default=text("'{}'")),
    Column("narrative_source", Text, nullable=False, server_default="template"),
    Column("status", Text, nullable=False, server_default="open"),
    moment("raised_at", default_now=True),
    moment("snoozed_until"),
    CheckConstraint("kind IN ('REORDER', 'EXPEDITE', 'TRANSFER', 'REDUCE', 'SWITCH')", name="kind"),
    CheckConstraint("status IN ('open', 'accepted', 'rejected', 'snoozed', 'done')", name="status"),
    CheckConstraint("narrative_source IN ('template', 'llm')", name="narrative_source"),
    UniqueConstraint("run_id", "fingerprint"),
    Index("ix_recommendation_rank", "run_id", "status", text("value_brl DESC NULLS LAST")),
    Index("ix_recommendation_item_id_site_id", "run_id", "item_id", "site_id"),
    schema="analytics",
)

lead_time_cost = Table(
    "lead_time_cost",
    metadata,
    _run_id(primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("supplier_id", Integer, nullable=False),
    double("holding_rate", nullable=False),
    *(double(name) for name in ("safety_stock_brl", "lateness_brl")),
    *(double(f"later_{days}_brl") for days in LATER_DAYS),
    schema="analytics",
)
"""What the lead times of an item's supplier cost in safety stock, by the textbook's formula: its
value, of that what lies beyond the contract's lead time kept every time, and what deliveries so
many days later would add. `holding_rate`: what holding it for a year costs, a fraction."""

sla_exposure = Table(
    "sla_exposure",
    metadata,
    _run_id(primary_key=True),
    Column("contract_id", Integer, primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    *(
        double(name, nullable=False)
        for name in ("stockout_probability", "penalty_brl", "exposure_brl")
    ),
    schema="analytics",
)
"""What a part that may be missing at a depot may cost under each contract that the depot serves: a
model, P(stockout over the lead time) × the penalty to be expected of a request not served."""
