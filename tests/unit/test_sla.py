"""Penalties and availability against cases computed by hand."""

from __future__ import annotations

from datetime import date, datetime
from unicodedata import normalize

import pytest

from domain.access import Role
from domain.pdf import Writer
from domain.records import DataStatus
from domain.sla import (
    Band,
    ContractScore,
    Evidence,
    Terms,
    availability,
    contract_month,
    downtime,
    is_capped,
    merged,
    next_band,
    outlook,
    penalty,
    percent,
    sites_month,
    state,
    steps,
)
from domain.sla_sheet import sheet
from domain.viewer import Viewer
from layouts.sla_charts import used_chart
from layouts.theme import ACCENT
from tests.web.test_board_pack import words_of

TERMS = Terms(
    target=0.99, bands=(Band(7.2, 2), Band(14.4, 5), Band(28.8, 12)), fee_brl=100_000, cap_pct=10
)
JUNE, JULY = datetime(2025, 6, 1), datetime(2025, 7, 1)
FIRST, LAST = date(2025, 1, 1), date(2025, 6, 30)
READER = Viewer("Ana", "ana@nova.test", Role.ANALYST, locale="en")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 6, day, hour, minute)


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (0.0, 0.0),
        (7.2, 0.0),  # exactly at the edge the band has not begun
        (0.1 * 3 * 24, 0.0),  # the same edge as floats add it up: 7.200000000000001
        (7.21, 2_000.0),
        (14.4, 2_000.0),
        (14.5, 5_000.0),
        (28.8, 5_000.0),
        (28.9, 10_000.0),  # 12 % held by the cap of 10 %
        (720.0, 10_000.0),
    ],
)
def test_penalties_by_hand(hours: float, due: float) -> None:
    assert penalty(hours, TERMS) == due
    assert is_capped(hours, TERMS) == (hours > 28.8)


def test_a_schedule_may_stand_in_any_order_and_lack_fee_or_cap() -> None:
    turned = Terms(bands=TERMS.bands[::-1])
    assert percent(15, turned) == 5 and penalty(15, turned) is None
    assert percent(30, turned) == 12 and not is_capped(30, turned)
    assert percent(1000, Terms()) == 0
    assert next_band(7.2, turned) == Band(7.2, 2) and next_band(7.3, turned) == Band(14.4, 5)
    assert next_band(29, turned) is None


def test_the_next_band_is_not_above_the_cap_and_none_where_no_more_can_be_due() -> None:
    assert next_band(20, TERMS) == Band(28.8, 10)
    assert next_band(20, Terms(bands=TERMS.bands, cap_pct=5)) is None
    assert next_band(1, Terms(bands=TERMS.bands, cap_pct=1.5)) == Band(7.2, 1.5)
    assert steps(TERMS) == [Band(7.2, 2), Band(14.4, 5), Band(28.8, 10)]


def test_overlapping_outages_of_a_site_count_once() -> None:
    spans = [(at(3, 10), at(3, 14)), (at(3, 12), at(3, 16)), (at(3, 11), at(3, 12))]
    assert downtime(spans, JUNE, JULY) == 6.0
    touching = [(at(3, 10), at(3, 11)), (at(3, 11), at(3, 12))]
    assert merged(touching) == [(at(3, 10), at(3, 12))]


def test_an_outage_over_midnight_and_one_over_the_months_end() -> None:
    night = (at(9, 22), at(10, 3, 30))
    end = (at(30, 20), datetime(2025, 7, 1, 6))
    assert downtime([night], JUNE, JULY) == 5.5
    assert downtime([night, end], JUNE, JULY) == 9.5
    assert downtime([end], JULY, datetime(2025, 8, 1)) == 6.0
    assert downtime([(at(9, 5), at(9, 5))], JUNE, JULY) == 0.0


def test_a_month_without_downtime() -> None:
    month = contract_month(JUNE.date(), FIRST, LAST, 0.0, 3, TERMS)
    assert (month.availability, month.percent, month.penalty_brl) == (1.0, 0, 0)
    assert state(month, 0.0) == "kept" and state(month, 0.5) == "at_risk"


def test_a_month_under_way_and_one_whose_target_is_lost() -> None:
    """Three sites, ten days of June: 720 site-hours so far, 2,160 in the month, 21.6 allowed."""
    half = contract_month(JUNE.date(), FIRST, date(2025, 6, 10), 18.0, 3, TERMS)
    assert (half.days, half.days_left, half.hours_per_site) == (10, 20, 6.0)
    assert half.availability == pytest.approx(1 - 18 / 720)
    assert not half.target_lost and state(half, None) == "kept"
    at_edge = contract_month(JUNE.date(), FIRST, date(2025, 6, 10), 21.6, 3, TERMS)
    assert (at_edge.target_lost, at_edge.percent) == (False, 0)
    lost = contract_month(JUNE.date(), FIRST, date(2025, 6, 10), 21.7, 3, TERMS)
    assert (lost.target_lost, lost.percent, lost.penalty_brl) == (True, 2, 2_000)
    assert state(lost, 0.0) == "breached"


def test_the_first_month_counts_from_the_first_day_known() -> None:
    month = contract_month(JUNE.date(), date(2025, 6, 21), LAST, 2.4, 1, TERMS)
    assert (month.days, month.availability) == (10, pytest.approx(0.99))


@pytest.mark.parametrize(("month", "left"), [(date(2024, 12, 1), 0), (date(2025, 7, 1), 31)])
def test_a_month_outside_of_what_is_known_has_no_days_and_no_availability(
    month: date, left: int
) -> None:
    found = contract_month(month, FIRST, LAST, 0.0, 3, TERMS)
    assert (found.days, found.days_left, found.site_hours) == (0, left, 0.0)
    assert found.availability is None and state(found, 0.0) == "unknown"
    assert availability(0.0, -24.0) is None


def test_nothing_is_known_of_a_contract_without_sites() -> None:
    month = contract_month(JUNE.date(), FIRST, LAST, 0.0, 0, TERMS)
    assert (month.availability, month.penalty_brl, state(month, None)) == (None, None, "unknown")


def test_the_outlook_is_made_of_runs_of_days() -> None:
    """6 h so far, two days left; of 99 runs of two days the two with the bad day end at 9 h."""
    daily = [0.0] * 50 + [3.0] + [0.0] * 49
    found = outlook(6.0, daily, 2, TERMS)
    assert found is not None
    assert found.chance_of_more == pytest.approx(2 / 99)
    assert found.penalty_brl == pytest.approx(2_000 * 2 / 99)
    assert found.hours == pytest.approx(6 + 3 * 2 / 99)
    assert (found.hours_p10, found.hours_p90) == (6.0, 6.0)
    assert outlook(6.0, [0.0] * 30, 2, TERMS) is None
    over = outlook(8.0, [], 0, TERMS)
    assert over is not None and (over.penalty_brl, over.chance_of_more) == (2_000.0, 0.0)


def test_no_month_ends_with_less_than_has_been() -> None:
    so_far = 1.595
    found = outlook(so_far, [0.1, 0.7] * 50 + [0.0] * 300, 2, TERMS)
    assert found is not None and found.hours_p10 == so_far
    calm = outlook(so_far, [0.7] + [0.0] * 300, 2, TERMS)
    assert calm is not None and calm.hours >= so_far


def test_sheet_and_chart_have_a_band_begin_where_the_penalty_does() -> None:
    """Six outages of nine sites, in minutes, come to the band's 7.3 hours a site but for what
    floats lose in adding up."""
    hours = sum(minutes / 60 for minutes in (596, 651, 946, 968, 381, 400))
    terms = Terms(bands=(Band(7.3, 2),), fee_brl=100_000)
    month = contract_month(JUNE.date(), FIRST, LAST, hours, 9, terms)
    assert month.hours_per_site is not None and month.hours_per_site > 7.3 and month.percent == 0
    score = ContractScore(
        contract="C-1",
        customer=None,
        sites=9,
        partial=False,
        target=None,
        fee_brl=terms.fee_brl,
        cap_pct=None,
        bands=list(terms.bands),
        as_of=LAST,
        now=month,
        here=sites_month(30, hours, 9, None),
        next_band=terms.bands[0],
        hours_projected=None,
        hours_p10=None,
        hours_p90=None,
        availability_projected=None,
        penalty_projected_brl=None,
        chance_of_more=None,
        exposure_brl=None,
        state="kept",
    )
    told = words_of(sheet(Evidence(score, [], [], 0, []), DataStatus(), READER))
    assert "more than 7.30 h" in told and "reached" not in told
    (bar,) = (one for one in used_chart([score], READER).data if one.type == "bar")
    assert list(bar.marker.color) == [ACCENT]


NARROWEST = 40


def test_the_longest_text_of_a_file_fits_a_sheet() -> None:
    """2,000 characters are what a cell of a file may have, and no line of the column holds five."""
    writer, longest = Writer(READER), "W" * 2_000
    table = writer.table(("UF", "Cause"), [(longest, "x"), ("SP", longest)], (NARROWEST, 470))
    assert writer.pdf("Title", [table]).count(b"/Type /Page\n") > 8


def test_accents_of_their_own_are_shown_with_their_letters() -> None:
    writer, name = Writer(READER), normalize("NFD", "São João")
    paper = words_of(writer.pdf(name, [writer.text(name, "plain")]))
    assert paper.count("São João") == 2, "in the text and at the page's foot"
