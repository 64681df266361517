"""Every page, as each role, in both languages, schemes and widths: nothing complains, sticks out,
speaks the other language, or shuts readers out (axe-core, WCAG 2.1 AA).

Each role walks in each language; pages open by turns wide and narrow, and every open page is looked
at in both widths and schemes. The first walk reads each page from its address and asks axe-core;
the others reach pages from one another. What ADMIN sees also fits a tablet, and ADMIN alone walks
each tab of a page.

axe-core's rules are asked in each look that can break them, once. Where a page is wide or narrow
first, all of them are, and those on colours once more in the other scheme, of a text or field of
each colour, size, weight and ground; a scheme changes nothing but colours. In the other width all
others are asked again, and those on colours, in both schemes, of what did not stand in the first
width as it does now.
Screenshots of all twenty-four looks are kept in test-results/pages/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from dashboard.i18n import translator
from dashboard.pages import PAGES as EVERY_PAGE
from domain.access import Role, may
from layouts import features, inventory, material, units
from layouts.text import DRIVERS, INPUT_UNITS, PERIODS
from tests import factories, services
from tests.browser.conftest import ALL_DRAWN, ALL_FIT, Watched
from tests.files import address

NOWHERE, TAB = "/nowhere", "tab="
CALLBACK, CALLS_AT_MOST = "/_dash-update-component", 6
ONE_OF_MANY = (
    *("/sla/C-SUL", "/suppliers/ALFA", "/projects/PRJ-1", "/materials/CABO-01", "/admin/users/1"),
)
CHOSEN = "item=CABO-01&depot=DEP-SP"
PAGES = {
    "/main": ("Visão geral", "Overview"),
    "/alerts": ("Alertas", "Alerts"),
    "/alerts?status=all&sort=-severity": ("Alertas", "Alerts"),
    "/regions?uf=SP&measure=days_of_supply": ("Regiões", "Regions"),
    "/recommendations": ("Recomendações", "Recommendations"),
    "/recommendations?status=all&sort=act_by": ("Recomendações", "Recommendations"),
    "/forecasts?sku=CABO-01&site=DEP-SP": ("Previsões", "Forecasts"),
    "/forecasts?level=item_region&sku=CABO-01&area=SE": ("Previsões", "Forecasts"),
    "/forecasts?level=family_country": ("Previsões", "Forecasts"),
    "/features": ("Modelos", "Models"),
    "/admin/reports": ("Relatórios por e-mail", "Reports by e-mail"),
    **{f"/features?tab={tab}&uf=SP": ("Modelos", "Models") for tab in features.TABS},
    "/features?sku=CABO-01&site=DEP-SP": ("Modelos", "Models"),
    "/savings?uf=SP": ("Economia", "Savings"),
    "/what-if?service_a=0.99&strike_days=30": ("E se", "What if"),
    "/what-if?sku=CABO-01&site=DEP-SP&lead_time_change=0.5": ("E se", "What if"),
    "/sla": ("SLA", "SLA"),
    "/sla/C-SUL": ("Contrato", "Contract"),
    "/suppliers?period=all": ("Fornecedores", "Suppliers"),
    "/suppliers/ALFA": ("Fornecedor", "Supplier"),
    "/drivers": ("Fatores externos", "Drivers"),
    "/projects?state=behind": ("Projetos", "Projects"),
    "/projects/PRJ-1": ("Projeto", "Project"),
    "/inventory": ("Estoque", "Inventory"),
    **{f"/inventory?{CHOSEN}&tab={tab}": ("Estoque", "Inventory") for tab in inventory.TABS},
    "/materials": ("Materiais", "Materials"),
    "/materials/CABO-01": ("Material", "Material"),
    **{f"/materials/CABO-01?tab={tab}": ("Material", "Material") for tab in material.TABS},
    "/admin/data": ("Dados e rodadas", "Data and runs"),
    "/admin/data?load=1": ("Dados e rodadas", "Data and runs"),
    "/admin/settings": ("Limites", "Thresholds"),
    "/admin/users": ("Usuários", "Users"),
    "/admin/users/1": ("Usuário", "User"),
    "/admin/new-user": ("Novo usuário", "New user"),
    "/admin/audit": ("Auditoria", "Audit log"),
    "/admin/audit?row=1": ("Auditoria", "Audit log"),
    NOWHERE: ("Página não encontrada", "Page not found"),
}
DEMO = {"pt-BR": "Dados de demonstração", "en-GB": "Demonstration data"}
WALKS = (
    (Role.ADMIN, "pt-BR", 1440, "light"),
    (Role.ADMIN, "en-GB", 390, "dark"),
    (Role.ANALYST, "pt-BR", 390, "light"),
    (Role.ANALYST, "en-GB", 1440, "dark"),
    (Role.VIEWER, "pt-BR", 390, "dark"),
    (Role.VIEWER, "en-GB", 1440, "light"),
)
Rules = dict[str, object]
Question = tuple[str, Rules]
WIDTHS, SCHEMES = (1440, 390), ("light", "dark")
TABLET = 768
COLOURS = ["color-contrast", "link-in-text-block"]
"""axe-core's rules on colours: all that another scheme of the same width can break."""
EVERY_RULE: Rules = {"resultTypes": ["violations"], "selectors": False}
"""Places are told by their HTML: axe-core need not search for a selector of each."""
OF_COLOURS: Rules = {**EVERY_RULE, "runOnly": COLOURS}
ALL_OTHERS: Rules = {**EVERY_RULE, "rules": {rule: {"enabled": False} for rule in COLOURS}}
WHOLE, NEW = "document", "{ include: window.newHere }"
QUESTIONS: tuple[tuple[Question, ...], ...] = (
    ((WHOLE, EVERY_RULE),),
    ((NEW, OF_COLOURS),),
    ((WHOLE, ALL_OTHERS), (NEW, OF_COLOURS)),
    ((NEW, OF_COLOURS),),
)
"""What axe-core is asked in each of an open page's four looks, in the order of `looks_from`."""
NEW_HERE = r"""
    scheme => {
        const shown = ((window.shownBefore ||= {})[scheme] ||= new WeakMap());
        const looks = new Set();
        const says = one => one.matches("input, select, textarea, button")
            || [...one.childNodes].some(each => each.nodeType === 3 && each.data.trim());
        const grounds = new Map([[null, ""]]);
        const ground = one => {
            if (!grounds.has(one)) {
                const { backgroundColor, backgroundImage, opacity } = getComputedStyle(one);
                const own = [backgroundColor, backgroundImage, opacity].join();
                grounds.set(one, own + (/^rgb\(.*,1$/.test(own) ? "" : ground(one.parentElement)));
            }
            return grounds.get(one);
        };
        window.newHere = [...document.body.querySelectorAll("*")].filter(one => {
            if (!one.checkVisibility({ visibilityProperty: true }) || !says(one)) { return false; }
            const { color, fontSize, fontWeight } = getComputedStyle(one);
            const look = [color, fontSize, fontWeight, ground(one)].join();
            const known = shown.get(one) === look || looks.has(look);
            shown.set(one, look);
            looks.add(look);
            return !known;
        });
        return window.newHere.length;
    }
"""
"""Texts and fields that this document has not shown in this scheme as it does now, one of each
colour, size, weight and ground."""
GRAVE_ONES = """
    (place, rules) => axe.run(place, rules).then(found => found.violations
        .filter(one => ["serious", "critical"].includes(one.impact))
        .map(one => [one.id, one.nodes.map(node => node.html)]))
"""
WITHOUT_TWIN = """
    [...document.querySelectorAll(".chart")]
        .filter(one => !one.closest(".surface")?.querySelector("details.twin, table"))
        .map(one => one.id)
"""
COLOURS_AT_MOST = 7
TOO_MANY_COLOURS = """
    most => {
        const probe = document.body.appendChild(document.createElement("i"));
        const hue = name => {
            probe.style.color = name;
            return getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).join();
        };
        const line = one => one.type !== "scatter" || one.mode.includes("lines");
        const marks = one => one.type !== "scatter" || one.mode.includes("markers");
        const parts = one => [
            ...(line(one) ? [one.line?.color] : []),
            ...(marks(one) ? [one.marker?.color, one.marker?.colors] : []),
            ...(one.fill && one.fill !== "none" ? [one.fillcolor] : []),
        ];
        const counted = [...document.querySelectorAll(".js-plotly-plot")].map(plot => {
            const shown = plot._fullData.filter(one => one.visible === true);
            const shapes = (plot._fullLayout.shapes || []).map(one => one.line?.color);
            const names = shown.flatMap(parts).flat().concat(shapes);
            const told = new Set(names.filter(one => typeof one === "string").map(hue));
            return [plot.closest(".chart").id, told.size];
        });
        probe.remove();
        return counted.filter(([, count]) => count > most || !count);
    }
"""
"""Charts in which more colours than that tell things apart, or none does. A colour and its
transparent band count once; numbers on a continuous scale (`marker.color`, heat maps) are no
colours to tell apart, nor are the map's steps of one hue, which is no Plotly chart."""
WITHOUT_UNIT = """
    units => [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot =>
        Object.entries(plot._fullLayout)
            .filter(([name, axis]) => /^[xy]axis\\d*$/.test(name) && axis.type === "linear")
            .filter(([, axis]) => !axis.ticktext?.some(text => /^\\D*$/.test(text)))
            .map(([name]) => [name, plot.layout[name]?.title?.text ?? ""])
            .map(([name, title]) => [name, title.replaceAll("<br>", " ").replace("&#36;", "$")])
            .filter(([, title]) => !units.includes(title)
                && !units.some(unit => title.endsWith(`(${unit})`)))
            .map(([name, title]) => `${plot.closest(".chart").id} ${name}: ${title}`))
        .concat([...document.querySelectorAll(".xtick text, .ytick text")]
            .map(tick => tick.textContent).filter(text => /\\d[kG]$/.test(text)))
"""
"""Axes of numbers that name no unit of those known, and ticks that the browser shortened."""
CHARTED = """
    [...document.querySelectorAll(".js-plotly-plot")]
        .filter(plot => plot.data.some(trace => trace.x?.length))
        .map(plot => plot.closest(".chart").id)
"""
BY_A_LEGEND = """
    [...document.querySelectorAll(".js-plotly-plot")]
        .filter(plot => plot._fullLayout.showlegend || plot.querySelector(".legend"))
        .map(plot => plot.closest(".chart").id)
"""
"""Charts whose marks are told apart by a legend instead of names beside them."""
UNNAMED = """
    [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot => {
        const notes = plot._fullLayout.annotations || [];
        const told = notes.map(one => one.text?.replaceAll("<br>", " "));
        const lines = plot._fullData.filter(one => one.type === "scatter"
            && one.mode.includes("lines") && one.line.width > 0 && one.x.length > 1
            && one.hoverinfo !== "skip");
        const shared = new Set(lines.map(one => one.yaxis)).size < lines.length;
        return lines
            .filter(one => shared && !told.some(text => text && text.includes(one.name)))
            .map(one => `${plot.closest(".chart").id}: ${one.name}`);
    })
"""
"""Of charts with more than one line over the same axis, lines without their name beside them."""
CROWDED = """
    [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot => {
        const texts = [...plot.querySelectorAll(
            ".annotation-text-g text, .xtick text, .ytick text, .xtitle, .ytitle, .bartext"
                + ", .textpoint text",
        )].filter(one => one.textContent.trim());
        const boxes = texts.map(one => one.getBoundingClientRect());
        const { left, right } = plot.getBoundingClientRect();
        const meet = (one, other) =>
            Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2
            && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3;
        return boxes.flatMap((box, index) => {
            const text = texts[index], words = text.textContent;
            const turned = text.closest(".xtick, .ytick")
                && /rotate\\((?!0)/.test(text.getAttribute("transform") || "");
            const out = box.left < left - 1 || box.right > right + 1;
            return [
                ...(turned ? [`${words} is turned`] : []),
                ...(out ? [`${words} is cut off`] : []),
                ...boxes.slice(0, index).flatMap((other, before) =>
                    meet(box, other) ? [`${words} on ${texts[before].textContent}`] : []),
            ];
        }).map(what => `${plot.closest(".chart").id}: ${what}`);
    })
"""
"""Charts with words that stand on others, are cut off, or are turned because there is no room."""
WITHOUT_A_LINK = "/reset"
DOORSTEP = ("/login", WITHOUT_A_LINK)
FOCUSED = (
    "[document.activeElement.className, document.activeElement.ariaLabelledByElements?.length]"
)
TEXTS = """
    (() => {
        const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const text = walker.currentNode.textContent.trim();
            if (text && walker.currentNode.parentElement.checkVisibility()) { texts.push(text); }
        }
        return texts;
    })()
"""


DELIVERED = text("""
    INSERT INTO core.purchase_order (order_no, line, item_id, site_id, supplier_id, quantity,
        ordered_on, promised_on, received_on, received_qty, unit_price_brl, order_dated, load_id)
    SELECT 'PC-' || day::date, '1', item_id, site_id, supplier_id, 5, day::date, day::date + 20,
        day::date + extract(day FROM day)::integer, 5, 9 + extract(month FROM day), true, load_id
    FROM core.purchase_order AS known,
        generate_series(date '2025-01-06', date '2025-05-26', interval '4 days') AS day
    WHERE known.order_no = 'PC-1001'
""")
SAVED = text("""
    INSERT INTO analytics.savings (run_id, month, item_id, site_id, basis, accepted,
        old_holding, old_stockout, old_expediting, old_ordering, old_stock, old_missed,
        new_holding, new_stockout, new_expediting, new_ordering, new_stock, new_missed)
    SELECT run_id, month::date, item_id, site_id, 'textbook', false, 50, 900, 0, 40, 30, 9,
        80, 20 * extract(month FROM month), 0, 40, 50, 1
    FROM analytics.published, core.purchase_order AS known,
        generate_series(date '2025-01-01', date '2025-05-01', interval '1 month') AS month
    WHERE known.order_no = 'PC-1001'
""")


@pytest.fixture(scope="module", autouse=True)
def every_chart(published: Engine) -> None:
    """Orders that came and months that were replayed: without these some charts have nothing."""
    with published.begin() as connection:
        connection.execute(SAVED)
        connection.execute(DELIVERED)


@pytest.mark.parametrize(("role", "locale", "width", "scheme"), WALKS)
def test_pages_are_whole(
    watch: Callable[..., Watched], role: Role, locale: str, width: int, scheme: str
) -> None:
    watched = watch(role=role, locale=locale, width=width, scheme=scheme)
    first = (role, locale) == (Role.ADMIN, "pt-BR")
    foreign = foreign_words(locale)
    charted: set[str] = set()
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    look = (width, scheme)
    for path, names in PAGES.items():
        if not may_open(role, path) or (role != Role.ADMIN and TAB in path):
            continue
        asked.clear()
        page = watched.open(path) if first else watched.go(path)
        calls = [url for url in asked if CALLBACK in url]
        assert 1 <= len(calls) <= CALLS_AT_MOST, f"{path} asks {len(calls)} times"
        name = names[locale.startswith("en")]
        expect(page).to_have_title(_title(path, name))
        expect(page.locator(".banners .notice").first).to_contain_text(DEMO[locale])
        assert page.get_attribute("html", "lang") == locale.replace("en-GB", "en")
        assert foreign.isdisjoint(page.evaluate(TEXTS)), (path, foreign & {*page.evaluate(TEXTS)})
        assert page.evaluate(WITHOUT_TWIN) == [], path
        watched.until(ALL_DRAWN)
        assert page.evaluate(TOO_MANY_COLOURS, COLOURS_AT_MOST) == [], path
        assert page.evaluate(WITHOUT_UNIT, units_of(locale)) == [], path
        assert page.evaluate(BY_A_LEGEND) + page.evaluate(UNNAMED) == [], path
        charted |= {*page.evaluate(CHARTED)}
        for look, questions in zip(looks_from(*look), QUESTIONS, strict=True):  # noqa: B020
            look_at(watched, path, f"{role.lower()}-{locale}", *look)
            if first:
                assert barriers(page, look[1], questions) == [], (path, look)
        if role == Role.ADMIN:
            fit(watched, TABLET)
    assert role != Role.ADMIN or charts() <= charted
    told = [text for text in watched.complaints if not text.startswith("console: Failed to load")]
    assert told == ([f"404: {watched.site}{NOWHERE}"] if first else [])
    assert len(watched.complaints) == (2 if first else 0)


def may_open(role: Role, path: str) -> bool:
    """Whether the page at this address, if there is one, shows the role more than a refusal."""
    entry = next((one for one in EVERY_PAGE if one.is_at(path.partition("?")[0])), None)
    return entry is None or may(role, entry.permission)


def looks_from(width: int, scheme: str) -> list[tuple[int, str]]:
    """Both widths and schemes from this one on, each a single step from the one before."""
    (other,) = set(WIDTHS) - {width}
    (reverse,) = set(SCHEMES) - {scheme}
    return [(width, scheme), (width, reverse), (other, reverse), (other, scheme)]


def look_at(watched: Watched, path: str, who: str, width: int, scheme: str) -> None:
    """An open page in one width and scheme: nothing sticks out, all is drawn, and a picture."""
    page = watched.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    fit(watched, width)
    seen = services.ROOT / "test-results" / "pages" / f"{who}-{width}-{scheme}"
    page.screenshot(path=seen / f"{re.sub(r'[^a-z0-9]+', '-', path[1:].lower())}.png")


def fit(watched: Watched, width: int) -> None:
    """Makes an open page so wide: nothing sticks out, charts have taken the width, and what they
    say has room."""
    watched.page.set_viewport_size({"width": width, "height": 900})
    watched.until(f"document.documentElement.scrollWidth <= {width}")
    watched.until(f"{ALL_DRAWN} && {ALL_FIT}")
    watched.until_nothing(CROWDED)


def charts() -> set[str]:
    """The names of all charts of the product."""
    sources = "".join(path.read_text() for path in (services.ROOT / "layouts").glob("*.py"))
    return set(re.findall(r'graph\(\s*"([^"]+)"', sources))


def units_of(locale: str) -> list[str]:
    """Every unit that an axis may name in this language."""
    t = translator(locale.replace("en-GB", "en").replace("-", "_"))
    named = [units.unit(name, t) for name in units.UNITS]
    inputs = [units.of_input(name, t) for name in INPUT_UNITS]
    drivers = [units.of_driver(code, t)[0] for code in DRIVERS]
    ahead = [units.periods_ahead(period, t) for period in PERIODS]
    issued = [None, *(unit for _, _, _, unit, *_ in factories.ITEMS)]
    demand = [units.per_period(code, period, t) for code in issued for period in PERIODS]
    fixed = [units.BRL, units.PERCENT, units.CORRELATION]
    return [*fixed, *named, *inputs, *drivers, *ahead, *filter(None, issued), *demand]


def foreign_words(locale: str) -> set[str]:
    """What no page in this language says."""
    return words_of("en", "pt_BR") if locale == "pt-BR" else words_of("pt_BR", "en")


def words_of(locale: str, other: str) -> set[str]:
    """What the catalogue says in this language and not in the other one."""
    said = []
    for name in (locale, other):
        path = services.ROOT / "dashboard" / "locale" / name / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            said.append({str(message.string) for message in read_po(file) if message.id})
    return {text for text in said[0] - said[1] if " " in text or text[:1].isupper()}


def barriers(page: Page, scheme: str, questions: Iterable[Question]) -> list[object]:
    """What axe-core finds serious or critical in a page shown in this scheme: rule and places."""
    if page.evaluate("!window.axe"):
        page.evaluate(AXE_SCRIPT)
    some_are_new = page.evaluate(NEW_HERE, scheme)
    return [
        barrier
        for place, rules in questions
        if place == WHOLE or some_are_new
        for barrier in page.evaluate(f"rules => ({GRAVE_ONES})({place}, rules)", rules)
    ]


def test_every_file_says_in_its_name_that_its_data_are_made_up(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(role=Role.ADMIN)
    table = (services.ROOT / "docs" / "access.md").read_text()
    doors = re.findall(r"`GET (/\S+\.(?:csv|xlsx|pdf))` \| export ", table)
    whole = [door for door in doors if "{" not in door]
    assert len(whole) >= 8
    for path in whole:
        answer = watched.page.request.get(f"{watched.site}{address(path)}")
        assert answer.status == 200, path
        assert re.search(r"_demo\.\w+$", answer.headers["content-disposition"]), path


@pytest.mark.parametrize("locale", DEMO)
def test_pages_without_dash_are_whole(watch: Callable[..., Watched], locale: str) -> None:
    watched = watch(role=Role.ADMIN, width=390, scheme="dark", locale=locale)
    page, foreign, look = watched.page, foreign_words(locale), (390, "dark")
    for path in ("/account", *DOORSTEP):
        if path in DOORSTEP:
            page.context.clear_cookies()
        page.goto(f"{watched.site}{path}")
        assert foreign.isdisjoint(page.evaluate(TEXTS)), path
        for look, questions in zip(looks_from(*look), QUESTIONS, strict=True):  # noqa: B020
            look_at(watched, path, f"admin-{locale}", *look)
            assert barriers(page, look[1], questions) == [], (path, look)
        fit(watched, TABLET)
    assert [text for text in watched.complaints if "404 (NOT FOUND)" not in text] == [
        f"404: {watched.site}{WITHOUT_A_LINK}"
    ]


def test_the_page_about_the_api_is_whole(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN, width=390, scheme="dark")
    watched.page.goto(f"{watched.site}/api/v1/docs")
    for width in (TABLET, *WIDTHS):
        fit(watched, width)
    assert barriers(watched.page, "dark", [(WHOLE, EVERY_RULE)]) == []
    assert watched.complaints == []


def test_the_keyboard_reaches_the_content_and_each_filter_by_name(
    watch: Callable[..., Watched],
) -> None:
    page = watch().open("/materials")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)[0] == "skip-link"
    page.keyboard.press("Enter")
    drawn = page.locator(".filter-bar .dash-dropdown:visible").count()
    assert drawn >= 3
    names = []
    for _ in range(drawn + 3):
        page.keyboard.press("Tab")
        kind, parts = page.evaluate(FOCUSED)
        if "dash-dropdown" in kind:
            names.append(parts)
    assert len(names) == drawn and all(parts > 1 for parts in names)


def _title(path: str, name: str) -> str:
    where = path.partition("?")[0]
    what = [where.rsplit("/", 1)[1]] if where in ONE_OF_MANY else []
    return " · ".join([*what, name, "Nova Corrente"])
