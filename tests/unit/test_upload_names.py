"""What stays of the name that somebody gave a file."""

from __future__ import annotations

import pytest

from warehouse.uploads import safe_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../../etc/cron.d/demand.csv", "demand.csv"),
        ("..\\..\\demand.csv", "demand.csv"),
        ("/etc/demand.csv", "demand.csv"),
        ("C:\\fakepath\\demand.csv", "demand.csv"),
        ("....//demand-../x/demand_1.csv", "demand_1.csv"),
        ("demand;$(id)`.csv", "demand__(id)_.csv"),
        ("-rf.csv", "_rf.csv"),
    ],
)
def test_the_sender_s_path_leads_nowhere(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept
