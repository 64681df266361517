"""The same totals wherever the clock of the machine stands."""

from __future__ import annotations

import pytest

from tests.faults.conftest import PATHS, Product, serving


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Kathmandu"])
def test_the_zone_of_the_machine_changes_no_total(
    product: Product, ground: Product, zone: str
) -> None:
    expected = {path: product.ask(path).data for path in PATHS}
    product.new_version()
    with serving(ground, TZ=zone) as elsewhere:
        assert {path: elsewhere.ask(path).data for path in PATHS} == expected
