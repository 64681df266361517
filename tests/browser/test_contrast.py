"""What is seen of fields, focus, icons and long sums: as the browser draws it, in both schemes and
in forced colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from domain.access import Role
from tests.browser.conftest import Watched, let_in

CONTRAST = """
    const luminance = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const surface = getComputedStyle(document.querySelector(".surface")).backgroundColor;
"""
RINGS = f"""() => {{
    {CONTRAST}
    const holder = document.querySelector("#_pages_content");
    return ["button.btn.btn-sm", "button.btn.btn-primary", "button.btn.btn-outline-secondary",
            "select.form-select", "input.form-check-input", "button.btn-close"].filter(kind => {{
        const [name, ...classes] = kind.split(".");
        const one = holder.appendChild(document.createElement(name));
        if (name === "input") one.type = "checkbox";
        one.className = classes.join(" ");
        one.focus();
        const {{outlineStyle, outlineWidth, outlineColor, boxShadow}} = getComputedStyle(one);
        const is_seen = outlineStyle === "solid" && parseFloat(outlineWidth) >= 2
            && contrast(outlineColor, surface) >= 3 && boxShadow === "none";
        one.remove();
        return !is_seen;
    }});
}}"""
"""Kinds of controls whose focus is not seen."""
FIELDS = f"""() => {{
    {CONTRAST}
    const pale = [];
    for (const one of document.querySelectorAll(".dash-input-container, .dash-dropdown, select"))
        if (one.offsetWidth && contrast(getComputedStyle(one).borderTopColor, surface) < 3)
            pale.push(one.className);
    for (const one of document.querySelectorAll("input[placeholder]")) {{
        const {{color, opacity}} = getComputedStyle(one, "::placeholder");
        if (opacity !== "1" || contrast(color, surface) < 4.5) pale.push(one.placeholder);
    }}
    return pale;
}}"""
"""Fields of a pale border, and pale placeholders."""
COVERED = """() => {
    const links = [...document.querySelectorAll("#_pages_content a, #_pages_content button")]
        .filter(one => one.offsetWidth && one.getClientRects().length);
    const bars = [...document.querySelectorAll(".top-bar, .top-line, .side-bar")]
        .filter(bar => ["sticky", "fixed"].includes(getComputedStyle(bar).position)
            && bar.offsetWidth > innerWidth / 2);
    return [...links, ...links.toReversed()].filter(one => {
        one.focus();
        const {top, bottom} = one.getBoundingClientRect();
        return bars.some(bar => {
            const of = bar.getBoundingClientRect();
            return top < of.bottom && of.top < bottom;
        });
    }).map(one => one.textContent);
}"""
"""What lies behind a bar when it has the focus, on the way down the page and up again."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_and_fields_are_seen(watch: Callable[..., Watched], scheme: str) -> None:
    page = watch(scheme=scheme).open("/materials")
    assert page.evaluate(RINGS) == []
    assert page.evaluate(FIELDS) == []


@pytest.mark.parametrize("width", [390, 1440])
def test_what_has_the_focus_is_not_behind_a_bar(watch: Callable[..., Watched], width: int) -> None:
    page = watch(width=width).open("/forecasts")
    assert page.evaluate(COVERED) == []


@pytest.fixture
def forced(browser: Browser, site: str) -> Iterator[Page]:
    """A blank page of an analyst who has Windows' contrast theme on."""
    with browser.new_context(forced_colors="active") as context:
        let_in(context, site, Role.ANALYST)
        yield context.new_page()


def test_forced_colours_leave_icons_legend_and_the_current_page(forced: Page, site: str) -> None:
    watched = Watched(forced, site)
    page = watched.open("/regions")
    colours = page.evaluate("""() => {
        const of = (name, rule) => getComputedStyle(document.querySelector(name))[rule];
        const current = getComputedStyle(document.querySelector(".side-bar .nav-link.active"));
        const steps = [...document.querySelectorAll(".map-swatch")]
            .map(one => getComputedStyle(one).backgroundColor);
        return {
            canvas: of("body", "backgroundColor"),
            icon: of(".side-bar .icon", "backgroundColor"),
            outline: current.outlineStyle,
            steps: new Set(steps).size === steps.length && steps.length > 1,
        };
    }""")
    assert colours["icon"] != colours["canvas"]
    assert colours["outline"] == "solid"
    assert colours["steps"]


def test_purchases_of_millions_are_not_cut(watch: Callable[..., Watched]) -> None:
    watched = watch()
    page = watched.open("/suppliers")
    page.evaluate("""() => dash_ag_grid.getApi("suppliers").forEachNode(node =>
        node.setDataValue("spend_brl", 12562693))""")
    cell = ".ag-cell[col-id=spend_brl]"
    page.locator(cell, has_text="12.562.693").first.wait_for()
    room = page.evaluate(f"""() => {{
        const one = document.querySelector("{cell}"), style = getComputedStyle(one);
        const words = document.createRange();
        words.selectNodeContents(one);
        const sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
        return one.clientWidth - sides - words.getBoundingClientRect().width;
    }}""")
    assert room >= 0
