"""What a browser calls itself, in two words."""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: every Edge also says Chrome, and every Chrome also says Safari."""

SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
LENGTH = 40


def browser_of(agent: str | None) -> str:
    """`Firefox · Linux` from a User-Agent; the start of any other text; empty for none."""
    text = agent or ""
    known = [
        next((name for mark, name in names if mark in text), None) for names in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(name for name in known if name) or text[:LENGTH]
