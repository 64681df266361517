"""Published results: runs, forecasts, policy, alerts and scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA analytics")
    op.create_table(
        "backtest",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("origin", sa.Date(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("actual", sa.Double(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("p10", sa.Double(), nullable=False),
        sa.Column("p50", sa.Double(), nullable=False),
        sa.Column("p90", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "item_id", "site_id", "model", "origin", "date", name=op.f("pk_backtest")
        ),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_table(
        "forecast",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("p10", sa.Double(), nullable=False),
        sa.Column("p50", sa.Double(), nullable=False),
        sa.Column("p90", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "item_id", "site_id", "model", "date", name=op.f("pk_forecast")
        ),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_index(
        "ix_forecast_model",
        "forecast",
        ["run_id", "model", "date"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "forecast_accuracy",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("demand_class", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("wape", sa.Double(), nullable=True),
        sa.Column("mase", sa.Double(), nullable=True),
        sa.Column("rmsse", sa.Double(), nullable=True),
        sa.Column("bias", sa.Double(), nullable=True),
        sa.Column("mape", sa.Double(), nullable=True),
        sa.Column("mape_coverage", sa.Double(), nullable=True),
        sa.Column("coverage80", sa.Double(), nullable=True),
        sa.Column("abs_error_sum", sa.Double(), nullable=True),
        sa.Column("error_sum", sa.Double(), nullable=True),
        sa.Column("actual_sum", sa.Double(), nullable=True),
        sa.Column("pct_error_sum", sa.Double(), nullable=True),
        sa.Column("pct_points", sa.Integer(), nullable=True),
        sa.Column("covered80_points", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "item_id", "site_id", "model", name=op.f("pk_forecast_accuracy")
        ),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("manifest", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("frequency", sa.String(length=1), nullable=False),
        sa.Column("horizon", sa.SmallInteger(), nullable=False),
        sa.Column("data_from", sa.Date(), nullable=False),
        sa.Column("data_to", sa.Date(), nullable=False),
        sa.Column(
            "metrics",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("frequency IN ('D', 'W', 'M')", name=op.f("ck_run_frequency")),
        sa.CheckConstraint("state IN ('loading', 'ready', 'dropped')", name=op.f("ck_run_state")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        sa.UniqueConstraint("manifest_sha256", name=op.f("uq_run_manifest_sha256")),
        schema="analytics",
    )
    op.create_table(
        "series_profile",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("demand_class", sa.Text(), nullable=False),
        sa.Column("adi", sa.Double(), nullable=True),
        sa.Column("cv2", sa.Double(), nullable=True),
        sa.Column("abc", sa.String(length=1), nullable=True),
        sa.Column("xyz", sa.String(length=1), nullable=True),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column("periods", sa.Integer(), nullable=False),
        sa.Column("nonzero", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=True),
        sa.Column("std", sa.Double(), nullable=True),
        sa.Column("season_length", sa.SmallInteger(), nullable=True),
        sa.Column("champion", sa.Text(), nullable=True),
        sa.Column(
            "weights",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("fallback_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "item_id", "site_id", name=op.f("pk_series_profile")),
        schema="analytics",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("stockout_on", sa.Date(), nullable=True),
        sa.Column("days_to_stockout", sa.Double(), nullable=True),
        sa.Column("risk_brl", sa.Double(), nullable=True),
        sa.Column(
            "facts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column(
            "raised_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("level IN ('critical', 'warning', 'info')", name=op.f("ck_alert_level")),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'snoozed', 'resolved')",
            name=op.f("ck_alert_status"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["analytics.run.run_id"], name=op.f("fk_alert_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("run_id", "fingerprint", name=op.f("uq_alert_run_id_fingerprint")),
        schema="analytics",
    )
    op.create_index(
        "ix_alert_item_id_site_id",
        "alert",
        ["run_id", "item_id", "site_id"],
        unique=False,
        schema="analytics",
    )
    op.create_index(
        "ix_alert_rank",
        "alert",
        ["run_id", "status", sa.literal_column("risk_brl DESC NULLS LAST")],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "cluster",
        sa.Column("cluster_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("silhouette", sa.Double(), nullable=True),
        sa.Column(
            "profile",
            postgresql.JSONB(),
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
            postgresql.JSONB(),
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
        "kpi_daily",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uf", sa.String(length=2), server_default="", nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("numerator", sa.Double(), nullable=False),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_kpi_daily_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "key", "uf", "date", name=op.f("pk_kpi_daily")),
        schema="analytics",
    )
    op.create_table(
        "policy",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("on_hand", sa.Double(), nullable=True),
        sa.Column("on_order", sa.Double(), nullable=True),
        sa.Column("reserved", sa.Double(), nullable=True),
        sa.Column("stock_date", sa.Date(), nullable=True),
        sa.Column("lead_time_days", sa.Double(), nullable=True),
        sa.Column("lead_time_source", sa.Text(), nullable=True),
        sa.Column("service_level", sa.Double(), nullable=True),
        sa.Column("daily_demand", sa.Double(), nullable=True),
        sa.Column("lead_time_demand", sa.Double(), nullable=True),
        sa.Column("safety_stock", sa.Double(), nullable=True),
        sa.Column("reorder_point", sa.Double(), nullable=True),
        sa.Column("order_up_to", sa.Double(), nullable=True),
        sa.Column("stockout_on", sa.Date(), nullable=True),
        sa.Column("days_to_stockout", sa.Double(), nullable=True),
        sa.Column(
            "facts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["analytics.run.run_id"], name=op.f("fk_policy_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "item_id", "site_id", name=op.f("pk_policy")),
        schema="analytics",
    )
    op.create_index(
        "ix_policy_site_id", "policy", ["run_id", "site_id"], unique=False, schema="analytics"
    )
    op.create_table(
        "published",
        sa.Column("singleton", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("previous_run_id", sa.Integer(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("singleton", name=op.f("ck_published_singleton")),
        sa.ForeignKeyConstraint(
            ["previous_run_id"], ["analytics.run.run_id"], name=op.f("fk_published_previous_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["analytics.run.run_id"], name=op.f("fk_published_run_id")
        ),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_published")),
        schema="analytics",
    )
    op.create_table(
        "recommendation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("from_site_id", sa.Integer(), nullable=True),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("act_by", sa.Date(), nullable=True),
        sa.Column("value_brl", sa.Double(), nullable=True),
        sa.Column(
            "facts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "narrative",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("narrative_source", sa.Text(), server_default="template", nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_recommendation_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation")),
        sa.UniqueConstraint(
            "run_id", "fingerprint", name=op.f("uq_recommendation_run_id_fingerprint")
        ),
        schema="analytics",
    )
    op.create_index(
        op.f("ix_recommendation_run_id"),
        "recommendation",
        ["run_id"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "sla_exposure",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("downtime_hours", sa.Double(), nullable=True),
        sa.Column("site_hours", sa.Double(), nullable=True),
        sa.Column("availability", sa.Double(), nullable=True),
        sa.Column("availability_projected", sa.Double(), nullable=True),
        sa.Column("penalty_brl", sa.Double(), nullable=True),
        sa.Column("exposure_brl", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_sla_exposure_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "contract_id", "month", name=op.f("pk_sla_exposure")),
        schema="analytics",
    )
    op.create_table(
        "supplier_score",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("lines_received", sa.Integer(), nullable=False),
        sa.Column("lines_on_time_in_full", sa.Integer(), nullable=False),
        sa.Column("lead_time_mean", sa.Double(), nullable=True),
        sa.Column("lead_time_std", sa.Double(), nullable=True),
        sa.Column("lead_time_p90", sa.Double(), nullable=True),
        sa.Column("contract_lead_time_days", sa.Double(), nullable=True),
        sa.Column("fill_rate", sa.Double(), nullable=True),
        sa.Column("price_drift", sa.Double(), nullable=True),
        sa.Column("spend_brl", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name=op.f("fk_supplier_score_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "supplier_id", name=op.f("pk_supplier_score")),
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
            postgresql.JSONB(),
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


def downgrade() -> None:
    op.execute("DROP SCHEMA analytics CASCADE")
