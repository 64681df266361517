"""What people put in the forecast's place, and the forecast with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NUMBERS = ("mean", "p10", "p50", "p90")
KEYS = ("item_id", "site_id")
REASONS = (
    "'promotion', 'outage', 'project', 'contract_start', 'contract_end', 'data_error',"
    " 'supplier_news', 'other'"
)

EFFECTIVE = """
CREATE VIEW analytics.effective_forecast AS
SELECT model.run_id, model.item_id, model.site_id, model.date, instead.override_id,
    coalesce(instead.mean, model.mean) AS mean, coalesce(instead.p10, model.p10) AS p10,
    coalesce(instead.p50, model.p50) AS p50, coalesce(instead.p90, model.p90) AS p90
FROM analytics.forecast AS model
LEFT JOIN analytics.override_in_force AS instead USING (run_id, item_id, site_id, date)
WHERE model.model = 'ensemble'
"""


def upgrade() -> None:
    op.create_table(
        "override",
        sa.Column("override_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", _moment(), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("frequency", sa.String(1), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("sku", "site", "family", "uf")),
        sa.Column("change", sa.Double()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", _moment()),
        sa.Column("ended_by", sa.Text()),
        sa.Column("ended_as_of", sa.Date()),
        sa.Column("superseded_by", sa.Integer()),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_override_reason")),
        sa.CheckConstraint(
            "change IS NULL OR change BETWEEN -1 AND 5", name=op.f("ck_override_change")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_override_ended")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["support.user.user_id"], name="fk_override_user_id_user"
        ),
        sa.PrimaryKeyConstraint("override_id", name="pk_override"),
        schema="support",
    )
    op.create_index("ix_override_user_id", "override", ["user_id"], schema="support")
    op.create_table(
        "override_point",
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("override_id", *KEYS)),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        *(sa.Column(f"model_{name}", sa.Double(), nullable=False) for name in NUMBERS),
        sa.Column("naive_mean", sa.Double()),
        sa.Column("superseded_by", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["override_id"],
            ["support.override.override_id"],
            name="fk_override_point_override_id_override",
        ),
        sa.PrimaryKeyConstraint("override_id", *KEYS, "date", name="pk_override_point"),
        schema="support",
    )
    op.create_index("ix_override_point_series", "override_point", [*KEYS, "date"], schema="support")
    op.create_table(
        "override_in_force",
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("run_id", *KEYS)),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("override_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in NUMBERS),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_override_in_force_run_id_run",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", *KEYS, "date", name="pk_override_in_force"),
        schema="analytics",
    )
    op.execute(EFFECTIVE)
    op.execute("GRANT INSERT, UPDATE ON support.override, support.override_point TO nova_app")
    _jobs("'dry_run', 'load', 'publish', 'derive'", " AND kind <> 'derive'")


def downgrade() -> None:
    op.execute("DELETE FROM support.job WHERE kind = 'derive'")
    _jobs("'dry_run', 'load', 'publish'", "")
    op.execute("DROP VIEW analytics.effective_forecast")
    op.drop_table("override_in_force", schema="analytics")
    op.drop_table("override_point", schema="support")
    op.drop_table("override", schema="support")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _jobs(kinds: str, but: str) -> None:
    """The kinds of job that there are, and those that are not limited to one a person."""
    op.drop_constraint(op.f("ck_job_kind"), "job", schema="support")
    op.create_check_constraint(op.f("ck_job_kind"), "job", f"kind IN ({kinds})", schema="support")
    op.drop_index("uq_job_one_a_person", "job", schema="support")
    op.create_index(
        "uq_job_one_a_person",
        "job",
        ["actor"],
        unique=True,
        schema="support",
        postgresql_where=sa.text(f"finished_at IS NULL{but}"),
    )
