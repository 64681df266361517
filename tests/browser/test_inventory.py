"""`/inventory` in a browser: the row that is chosen by click and by keys, its tabs, the phone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from layouts import format as fmt
from tests.browser.conftest import PATIENT_MS, Watched

HEAD = ".detail-head .weak"
NUMBERS = (
    *(82.5, 3650.4, 85096.49999999999, -0.3, -0.04, 724542.5, 0.825, -0.00004, 1.005),
    *(0.0042, 0.5),
)
WRITTEN = """([values, most]) => values.map((value) => {
    const params = { value: value, context: { locale: "pt-BR" } };
    const { novaNumber, novaSupply, novaMoney, novaPrice, novaPercent } =
        window.dashAgGridFunctions;
    return [
        novaNumber(params, 1), novaSupply(params, most), novaMoney(params, 0), novaPrice(params),
        novaPercent(params, 0)];
})"""


def test_arrow_keys_choose_the_next_row_and_the_address_keeps_it(
    watch: Callable[..., Watched],
) -> None:
    watched = watch()
    page = watched.open("/inventory?sort=sku")
    expect(page.locator(HEAD)).to_contain_text("BAT-02")
    page.locator(".ag-center-cols-container [row-index='0'] [col-id=abc]").click()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.wait_for_url("**item=CABO-01**")
    expect(page.locator(HEAD)).to_contain_text("CABO-01", timeout=PATIENT_MS)
    page.locator(".tab-choice label", has_text="Plano").click()
    page.wait_for_url("**tab=plan**")
    expect(page.locator("#projection")).to_be_visible()
    shown = page.locator(HEAD).inner_text()
    page.reload()
    watched.settle()
    expect(page.locator(HEAD)).to_have_text(shown)
    expect(page.locator("#projection")).to_be_visible()
    assert watched.complaints == []
    _be_cut_off(watched)
    page.keyboard.press("Escape")
    page.fill("input[type=search]", "bateria")
    page.wait_for_url("**search=bateria**")
    assert "tab=plan" in page.url and "item=" not in page.url and "depot=" not in page.url
    expect(page.locator(HEAD)).to_contain_text("BAT-02", timeout=PATIENT_MS)
    assert watched.complaints == []


def _be_cut_off(watched: Watched) -> None:
    """The page says that the server does not answer, and catches up once it does."""
    page, toast = watched.page, watched.page.locator("#toasts .toast")
    expect(toast).to_have_count(0)
    page.context.set_offline(True)
    page.locator(".tab-choice label", has_text="Pedidos").click()
    expect(toast).to_contain_text("O servidor não responde")
    expect(page.locator("#projection")).to_be_visible()
    page.context.set_offline(False)
    expect(toast).to_contain_text("A página foi atualizada", timeout=PATIENT_MS)
    expect(page.locator("#projection")).to_have_count(0, timeout=PATIENT_MS)
    watched.settle()
    page.locator(".tab-choice label", has_text="Plano").click()
    expect(page.locator("#projection")).to_be_visible(timeout=PATIENT_MS)
    watched.complaints.clear()


def test_a_phone_shows_a_list_whose_entries_open_the_detail(
    watch: Callable[..., Watched],
) -> None:
    watched = watch(width=390)
    page = watched.open("/inventory")
    expect(page.locator(".table-master")).to_be_hidden()
    entry = page.locator(".depot-entry", has_text="PAR-03").first
    entry.click()
    page.wait_for_url("**item=PAR-03**")
    expect(page.locator(HEAD)).to_contain_text("PAR-03", timeout=PATIENT_MS)
    assert watched.complaints == []


def test_tables_write_numbers_as_the_server_does(watch: Callable[..., Watched]) -> None:
    page = watch().open("/inventory")
    assert page.evaluate(WRITTEN, [NUMBERS, fmt.MOST_DAYS_OF_SUPPLY]) == [
        [
            fmt.fixed(value, "pt_BR", 1),
            fmt.supply(value, "pt_BR"),
            fmt.brl(value, "pt_BR"),
            fmt.price(value, "pt_BR"),
            fmt.percent(value, "pt_BR", 0),
        ]
        for value in NUMBERS
    ]
