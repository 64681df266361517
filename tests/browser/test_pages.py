"""Every page, as each role, in both languages, schemes and widths: nothing complains, sticks out,
speaks the other language, or shuts readers out (axe-core, WCAG 2.1 AA).

Each role walks in each language; pages open by turns wide and narrow, and every open page is looked
at in both widths and schemes. In Portuguese each page is read from its address, in English pages
are reached from one another. axe-core is asked as ADMIN, light and wide, dark and narrow.
Screenshots of all twenty-four looks are kept in test-results/pages/.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect

from domain.access import Role
from tests import services
from tests.browser.conftest import ALL_DRAWN, ALL_FIT, Watched

NOWHERE = "/nowhere"
NO_TRANSITION = "document.getAnimations().every(each => !(each instanceof CSSTransition))"
CALLBACK, CALLS_AT_MOST = "/_dash-update-component", 6
ONE_OF_MANY = (
    *("/sla/C-SUL", "/suppliers/ALFA", "/projects/PRJ-1", "/materials/CABO-01", "/admin/users/1"),
)
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
    "/features?tab=map&uf=SP": ("Modelos", "Models"),
    "/features?tab=prescriptive": ("Modelos", "Models"),
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
    "/inventory?item=CABO-01&depot=DEP-SP&tab=decisions": ("Estoque", "Inventory"),
    "/materials": ("Materiais", "Materials"),
    "/materials/CABO-01": ("Material", "Material"),
    "/admin/data": ("Dados e rodadas", "Data and runs"),
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
WIDTHS, SCHEMES = (1440, 390), ("light", "dark")
AXE_LOOKS = ((1440, "light"), (390, "dark"))
ADMINS = "/admin/"
BARRIERS = {"resultTypes": ["violations"]}
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
    [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot =>
        Object.entries(plot._fullLayout)
            .filter(([name, axis]) => /^[xy]axis\\d*$/.test(name) && axis.type === "linear")
            .filter(([, axis]) => !axis.ticktext?.some(text => /^\\D*$/.test(text)))
            .filter(([name]) => !plot.layout[name]?.title?.text)
            .map(([name]) => `${plot.closest(".chart").id} ${name}`))
        .concat([...document.querySelectorAll(".xtick text, .ytick text")]
            .map(tick => tick.textContent).filter(text => /\\d[kG]$/.test(text)))
"""
"""Axes of numbers that do not say of what, and ticks that the browser shortened."""
SIGNED_IN, DOORSTEP = ("/account", "/api/v1/docs"), ("/login", "/reset")
FOCUSED = (
    "[document.activeElement.className, document.activeElement.ariaLabelledByElements?.length]"
)
GRAVE = ("serious", "critical")
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


@pytest.mark.parametrize(("role", "locale", "width", "scheme"), WALKS)
def test_pages_are_whole(
    watch: Callable[..., Watched], role: Role, locale: str, width: int, scheme: str
) -> None:
    watched = watch(role=role, locale=locale, width=width, scheme=scheme)
    within = locale == "en-GB"
    foreign = words_of("en", "pt_BR") if locale == "pt-BR" else words_of("pt_BR", "en")
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    look = (width, scheme)
    for path, names in PAGES.items():
        if role != Role.ADMIN and path.startswith(ADMINS):
            continue
        asked.clear()
        page = watched.go(path) if within else watched.open(path)
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
        assert page.evaluate(WITHOUT_UNIT) == [], path
        axe = (role, locale) == (Role.ADMIN, "pt-BR")
        for look in looks_from(*look):  # noqa: B020
            look_at(watched, path, f"{role.lower()}-{locale}", *look, axe=axe)
    told = [text for text in watched.complaints if not text.startswith("console: Failed to load")]
    assert told == ([] if within else [f"404: {watched.site}{NOWHERE}"])
    assert len(watched.complaints) == (0 if within else 2)


def looks_from(width: int, scheme: str) -> list[tuple[int, str]]:
    """Both widths and schemes from this one on, each a single step from the one before."""
    (other,) = set(WIDTHS) - {width}
    (reverse,) = set(SCHEMES) - {scheme}
    return [(width, scheme), (width, reverse), (other, reverse), (other, scheme)]


def look_at(watched: Watched, path: str, who: str, width: int, scheme: str, *, axe: bool) -> None:
    """An open page in one width and scheme: nothing sticks out, all is drawn, and a picture."""
    page = watched.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    watched.until(f"document.documentElement.scrollWidth <= {width}")
    watched.until(f"{ALL_DRAWN} && {ALL_FIT} && {NO_TRANSITION}")
    seen = services.ROOT / "test-results" / "pages" / f"{who}-{width}-{scheme}"
    page.screenshot(path=seen / f"{re.sub(r'[^a-z0-9]+', '-', path[1:].lower())}.png")
    if axe and (width, scheme) in AXE_LOOKS:
        assert barriers(page) == [], (path, width, scheme)


def words_of(locale: str, other: str) -> set[str]:
    """What the catalogue says in this language and not in the other one."""
    said = []
    for name in (locale, other):
        path = services.ROOT / "dashboard" / "locale" / name / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            said.append({str(message.string) for message in read_po(file) if message.id})
    return {text for text in said[0] - said[1] if " " in text or text[:1].isupper()}


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds serious or critical: the rule, and where."""
    found = Axe().run(page, options=BARRIERS).response["violations"]
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in GRAVE
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
        answer = watched.page.request.get(f"{watched.site}{path}")
        assert answer.status == 200, path
        assert re.search(r"_demo\.\w+$", answer.headers["content-disposition"]), path


def test_pages_without_dash_shut_nobody_out(watch: Callable[..., Watched]) -> None:
    watched = watch(role=Role.ADMIN, width=390, scheme="dark")
    for path in (*SIGNED_IN, *DOORSTEP):
        if path in DOORSTEP:
            watched.page.context.clear_cookies()
        watched.page.goto(f"{watched.site}{path}")
        assert barriers(watched.page) == [], path


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
    what = [path.rsplit("/", 1)[1]] if path in ONE_OF_MANY else []
    return " · ".join([*what, name, "Nova Corrente"])
