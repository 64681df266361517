"""SQL: requests by item-depot, and those that an empty shelf hid."""

from __future__ import annotations

MOST_OUT = 0.9
"""Share of days without stock that is reckoned with at most: the rest would have to stand for too
many."""


def request_days(when: str, of: str = "") -> str:
    """Each day on which more was asked for at an item-depot than came back, with the `quantity` of
    both together. `when` narrows the days; `of` joins what narrows the item-depots."""
    return f"""
        SELECT item_id, site_id, date, sum(quantity) AS quantity
        FROM core.demand {of} WHERE {when}
        GROUP BY item_id, site_id, date HAVING sum(quantity) > 0
        """


def with_hidden(when: str, of: str = "") -> str:
    """Of each item-depot with counts and demand the days with a request, `requests`, and how many
    more an empty shelf hid, `hidden`: at the rate of its days with stock."""
    return f"""
        SELECT item_id, site_id, requests, requests * share / (1 - share) AS hidden
        FROM (
            SELECT item_id, site_id, least({MOST_OUT}, avg((stock.on_hand <= 0)::integer)) AS share
            FROM core.stock {of} WHERE {when} GROUP BY item_id, site_id
        ) AS shelf JOIN (
            SELECT item_id, site_id, count(*) AS requests
            FROM ({request_days(when, of)}) AS asked GROUP BY item_id, site_id
        ) AS asked USING (item_id, site_id)
        """
