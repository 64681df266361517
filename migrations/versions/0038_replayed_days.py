"""What-ifs play days: histories that weekly and monthly runs kept by their periods go.

They come back, by the day, when the run is derived anew; until then what-ifs of it say that nothing
is known to play.
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

FORGET = """
    DELETE FROM analytics.replay_input
    WHERE run_id IN (SELECT run_id FROM analytics.run WHERE frequency <> 'D')
"""


def upgrade() -> None:
    op.execute(FORGET)


def downgrade() -> None:
    op.execute(FORGET)
