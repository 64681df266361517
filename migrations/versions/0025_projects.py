"""What each projects file said of a project, by its day; materials to come and their stock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TOLD = "status, planned_start, planned_end, actual_end, budget_brl, spent_brl, progress_pct"


STOCK = ("on_hand", "arriving", "projected", "shortage", "lead_time_days")


def upgrade() -> None:
    op.add_column("projects", sa.Column("as_of", sa.Date), schema="staging")
    op.create_table(
        "project_status",
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("planned_start", sa.Date),
        sa.Column("planned_end", sa.Date),
        sa.Column("actual_end", sa.Date),
        sa.Column("budget_brl", sa.Double),
        sa.Column("spent_brl", sa.Double),
        sa.Column("progress_pct", sa.Double),
        sa.Column("load_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "as_of", name="pk_project_status"),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["core.project.project_id"],
            name="fk_project_status_project_id",
            ondelete="CASCADE",
        ),
        schema="core",
    )
    op.create_table(
        "project_need",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("item_id", sa.Integer, nullable=False),
        sa.Column("needed_on", sa.Date, nullable=False),
        sa.Column("site_id", sa.Integer),
        sa.Column("expected_on", sa.Date, nullable=False),
        sa.Column("quantity", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in STOCK),
        *(sa.Column(f"stockout{which}_on", sa.Date) for which in ("", "_as_planned", "_without")),
        sa.PrimaryKeyConstraint(
            "run_id", "project_id", "item_id", "needed_on", name="pk_project_need"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["analytics.run.run_id"],
            name="fk_project_need_run_id",
            ondelete="CASCADE",
        ),
        schema="analytics",
    )
    op.execute(
        f"""
        INSERT INTO core.project_status (project_id, as_of, load_id, {TOLD})
        SELECT project_id,
            coalesce(load.finished_at, now()) AT TIME ZONE 'America/Sao_Paulo', load_id, {TOLD}
        FROM core.project LEFT JOIN staging.load ON load.id = project.load_id
        """
    )


def downgrade() -> None:
    op.drop_table("project_need", schema="analytics")
    op.drop_table("project_status", schema="core")
    op.drop_column("projects", "as_of", schema="staging")
