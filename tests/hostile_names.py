"""ERP files in which every text is an attack, loaded as any file is, with a published run."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine

from tests import factories
from tests.ingesting import load
from warehouse.pipeline import derive, publish

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
SVG = "\"'><svg/onload=alert(3)>"
LINK = "<a href='javascript:alert(4)'>x</a>"
BOLD = "<b>not bold</b>{{7*7}}${7*7}%(name)s"
FORMULA = '=HYPERLINK("http://evil.example";"x")'
COMMAND = "@SUM(1+1)*cmd|' /C calc'!A0"
ADDRESS = "javascript:alert(5)"
SKUS = (ADDRESS, f"=1+1{IMAGE}", "-2+3;4", "@x\"'/../%2e%2e?a=b#c", 'AÇO 1//2" 50%41+&')
NAMES = (SCRIPT, IMAGE, FORMULA, SVG, COMMAND)
SITES = ((f"+SITE{IMAGE}", LINK, "SP"), ("=DEP-BA", COMMAND, "BA"))
SUPPLIERS = ((f"-{SVG}", SCRIPT), ("@ALFA", BOLD))
UNIT, FAMILY, CONTRACT = BOLD, IMAGE, f"=C{SCRIPT}"
PROJECT = f"=P{IMAGE}"
LAST_DAY, DAYS = date(2025, 6, 29), 120


def publish_hostile_names(engine: Engine, folder: Path) -> None:
    """Loads the files through the ordinary door; every row is accepted."""
    write_files(folder)
    report = load(folder, engine)
    assert report.ok and not [file for file in report.files if file.rejected], report
    derive.refresh_after_load(engine)
    bundle = factories.make_bundle(folder / "bundles", engine)
    publish.publish_bundle(bundle, engine=engine, published_by=IMAGE)


def write_files(folder: Path) -> None:
    """One CSV of each kind that a screen shows."""
    sites = [code for code, _, _ in SITES]
    days = [LAST_DAY - timedelta(days=back) for back in range(DAYS)]
    places = [(sku, site) for sku in SKUS for site in sites]
    write(
        folder,
        "items",
        "sku name family unit unit_cost_brl lead_time_days supplier <img/src=x/onerror=alert(6)>",
        [
            (sku, name, FAMILY, UNIT, 10 + index, 14, SUPPLIERS[index % 2][0], SCRIPT)
            for index, (sku, name) in enumerate(zip(SKUS, NAMES, strict=True))
        ],
    )
    write(
        folder,
        "sites",
        "site name uf kind contract",
        [(code, name, uf, "depot", CONTRACT) for code, name, uf in SITES],
    )
    write(folder, "suppliers", "supplier name kind", [(*one, "domestic") for one in SUPPLIERS])
    write(
        folder,
        "contracts",
        "contract customer availability_target_pct",
        [(CONTRACT, SVG, 99)],
    )
    write(
        folder,
        "demand",
        "date sku quantity site",
        [(day, sku, 3 + day.toordinal() % 5, site) for day in days for sku, site in places],
    )
    write(
        folder,
        "stock",
        "date sku site on_hand",
        [(day, sku, site, 2) for day in days[:30] for sku, site in places],
    )
    write(
        folder,
        "purchase_orders",
        "order line sku supplier ordered_on quantity site promised_on",
        [
            (f"=PO-{index}{IMAGE}", 1, sku, SUPPLIERS[0][0], days[60], 9, site, days[20])
            for index, (sku, site) in enumerate(places)
        ],
    )
    write(
        folder,
        "outages",
        "outage site started_at ended_at cause sku_waited_for",
        [
            (f"=O-{index}{IMAGE}", site, f"{days[9]} 10:00", f"{days[9]} 12:00", BOLD, SKUS[1])
            for index, site in enumerate(sites)
        ],
    )

    bill = [{"sku": sku, "quantity": 9, "needed_on": str(LAST_DAY)} for sku in SKUS]
    write(
        folder,
        "projects",
        "project name uf status planned_start planned_end progress_pct materials as_of",
        [
            (PROJECT, SVG, "SP", LINK, days[90], LAST_DAY, 20, json.dumps(bill), LAST_DAY),
        ],
    )


def write(folder: Path, kind: str, header: str, rows: Sequence[tuple[object, ...]]) -> None:
    """One canonical file."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(header.split())
        writer.writerows(rows)
