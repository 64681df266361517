"""Clusters, failure risk, expected parts and trends by run; parts of kinds of equipment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

PARTS = (("equipment_kind", sa.Text), ("units_per_failure", sa.Double))
NUMBERS = ("mean", "p10", "p50", "p90")


def upgrade() -> None:
    for schema, table in (("staging", "items"), ("core", "item")):
        for name, kind in PARTS:
            op.add_column(table, sa.Column(name, kind), schema=schema)
    for table in ("cluster_member", "cluster", "failure_risk"):
        op.drop_table(table, schema="analytics")
    _by_run(
        "cluster",
        ("run_id", "family", "number"),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("silhouette", sa.Double),
        sa.Column("failure_rate", sa.Double),
        sa.Column("mean_risk", sa.Double),
        sa.Column("profile", JSONB, nullable=False, server_default=sa.text("'[]'")),
    )
    _by_run(
        "cluster_member",
        ("run_id", "family", "member"),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("previous_number", sa.SmallInteger),
        sa.Column("next_number", sa.SmallInteger),
        sa.Column("distance", sa.Double),
        sa.Column("silhouette", sa.Double),
        sa.Column("features", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("pulls", JSONB, nullable=False, server_default=sa.text("'[]'")),
    )
    _by_run(
        "failure_risk",
        ("run_id", "equipment"),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("equipment", sa.Text, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("measured_on", sa.Date),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("horizon_days", sa.SmallInteger, nullable=False),
        sa.Column("reasons", JSONB, nullable=False, server_default=sa.text("'[]'")),
    )
    for table in ("cluster_member", "failure_risk"):
        op.create_index(op.f(f"ix_{table}_site_id"), table, ["site_id"], schema="analytics")
    keys = ("run_id", "item_id", "site_id")
    _by_run(
        "parts_demand",
        (*keys, "equipment_kind"),
        *(sa.Column(name, sa.Integer, nullable=False) for name in keys),
        sa.Column("equipment_kind", sa.Text, nullable=False),
        sa.Column("machines", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in NUMBERS),
    )
    _by_run(
        "tower_trend",
        ("run_id", "site_id", "metric"),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("per_month", sa.Double),
        sa.Column("changed_on", sa.Date),
        *(sa.Column(name, sa.Double) for name in ("before", "after", "p")),
    )


def _by_run(table: str, key: tuple[str, ...], *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )


def downgrade() -> None:
    tables = ("tower_trend", "parts_demand", "failure_risk", "cluster_member", "cluster")
    for table in tables:
        op.drop_table(table, schema="analytics")
    for schema, table in (("core", "item"), ("staging", "items")):
        for name, _ in reversed(PARTS):
            op.drop_column(table, name, schema=schema)
    _as_before()


def _as_before() -> None:
    op.create_table(
        "cluster",
        sa.Column("cluster_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("silhouette", sa.Double(), nullable=True),
        sa.Column(
            "profile",
            JSONB,
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "family IN ('equipment-failure', 'tower-performance')", name=op.f("ck_cluster_family")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["analytics.run.run_id"], name=op.f("fk_cluster_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cluster_id", name=op.f("pk_cluster")),
        sa.UniqueConstraint(
            "run_id", "family", "number", name=op.f("uq_cluster_run_id_family_number")
        ),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_cluster_run_id"), "cluster", ["run_id"], unique=False, schema="analytics"
    )
    op.create_table(
        "failure_risk",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("horizon_days", sa.SmallInteger(), nullable=False),
        sa.Column(
            "reasons",
            JSONB,
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_failure_risk_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "equipment", name=op.f("pk_failure_risk")),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_failure_risk_site_id"),
        "failure_risk",
        ["site_id"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "cluster_member",
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.Column(
            "features",
            JSONB,
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["analytics.cluster.cluster_id"],
            name=op.f("fk_cluster_member_cluster_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cluster_id", "member", name=op.f("pk_cluster_member")),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_cluster_member_site_id"),
        "cluster_member",
        ["site_id"],
        unique=False,
        schema="analytics",
    )
