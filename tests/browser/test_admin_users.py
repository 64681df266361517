"""The pages for users in a browser: making one, changing, shutting out, the link shown once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.access import Role
from tests.browser.conftest import EMAILS, PASSWORD, Watched

LOOKS = (("pt-BR", 1440, "light"), ("pt-BR", 390, "dark"), ("en-GB", 390, "light"))
NEW = "telhado-azul-42"


def open_user(watched: Watched, email: str) -> Page:
    page = watched.open("/admin/users")
    page.locator(".grid-link", has_text=email).click()
    page.wait_for_url(re.compile(r"/admin/users/\d+$"))
    watched.settle()
    return page


def make_user(watched: Watched, email: str) -> str:
    """Fills in the form and clicks twice; gives the password that is shown once."""
    page = watched.open("/admin/new-user")
    page.fill("#user-email", email)
    page.fill("#user-name", "Bia Souza")
    page.locator("#user-create").evaluate("it => { it.click(); setTimeout(() => it.click(), 50); }")
    return page.locator(".secret code").inner_text()


def sign_in(page: Page, site: str, email: str, password: str) -> None:
    page.goto(f"{site}/login")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("#sign-in")


@pytest.mark.parametrize(("locale", "width", "scheme"), LOOKS)
def test_the_pages_are_whole(
    watch: Callable[..., Watched], locale: str, width: int, scheme: str
) -> None:
    watched = watch(Role.ADMIN, locale=locale, width=width, scheme=scheme)
    watched.open("/admin/users")
    expect(watched.page.locator(".ag-row")).not_to_have_count(0)
    fits(watched, width)
    watched.open("/admin/new-user")
    fits(watched, width)
    page = open_user(watched, EMAILS[Role.VIEWER])
    expect(page.locator("#user-sessions, .quiet")).to_have_count(1)
    for name in page.locator(".confirm > summary").all():
        name.click()
        fits(watched, width)
        page.keyboard.press("Escape")
        expect(page.locator(".confirm[open]")).to_have_count(0)
    assert watched.complaints == []


def fits(watched: Watched, width: int) -> None:
    wide = watched.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{watched.page.url} is {wide} px wide at {width}"


def test_a_new_user_chooses_a_password_and_is_let_in(
    watch: Callable[..., Watched], browser: Browser, site: str
) -> None:
    admin = watch(Role.ADMIN)
    password = make_user(admin, "bia@nova.example")
    context = browser.new_context(locale="pt-BR")
    page = context.new_page()
    sign_in(page, site, "bia@nova.example", password)
    page.wait_for_url("**/account")
    expect(page.locator(".login-notice")).to_be_visible()
    page.goto(f"{site}/forecasts")
    page.wait_for_url("**/account")
    page.fill("#current", password)
    page.fill("#new", "password123")
    page.fill("#again", "password123")
    page.click("#change-password")
    expect(page.locator("#form-error")).to_contain_text("mais comuns")
    page.fill("#current", password)
    page.fill("#new", NEW)
    page.fill("#again", NEW)
    page.click("#change-password")
    page.wait_for_url("**/main")
    expect(page.locator(".nav-link", has_text="Previsões")).to_be_visible()
    context.close()
    assert admin.complaints == []


def test_shutting_out_ends_an_open_page_at_once(watch: Callable[..., Watched]) -> None:
    admin, reader = watch(Role.ADMIN), watch(Role.VIEWER)
    page = open_user(admin, EMAILS[Role.VIEWER])
    expect(page.locator("#user-sessions tbody tr").first).to_contain_text("Chrome")
    page.get_by_text("Desativar…").click()
    expect(page.get_by_text("não pode mais entrar")).to_be_visible()
    page.get_by_role("button", name="Desativar este usuário").click()
    expect(page.locator("#user-state")).to_have_text("Desativado")
    expect(page.locator("#toasts")).to_contain_text("desativado")
    expect(page.locator("#user-sessions")).to_have_count(0)
    reader.page.goto(f"{reader.site}/main")
    reader.page.wait_for_url("**/login**")
    page.get_by_role("button", name="Ativar").click()
    expect(page.locator("#user-state")).to_have_text("Ativo")
    assert admin.complaints == []


def test_role_and_scope_are_chosen_from_what_there_is(watch: Callable[..., Watched]) -> None:
    admin = watch(Role.ADMIN)
    make_user(admin, "escopo@nova.example")
    page = open_user(admin, "escopo@nova.example")
    choose(page, "Papel", "Analista")
    choose(page, "Somente estas UFs", "BA – Bahia")
    choose(page, "Somente estes contratos", "C-NE")
    page.get_by_role("button", name="Salvar").click()
    expect(page.locator("#toasts")).to_contain_text("Salvo.")
    admin.open("/admin/users")
    row = page.locator(".ag-row", has_text="escopo@nova.example")
    expect(row).to_contain_text("Analista")
    expect(row).to_contain_text("BA · C-NE")
    assert admin.complaints == []


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("group", name=field).locator(".dash-dropdown").click()
    page.get_by_text(option).last.click()
    page.keyboard.press("Escape")


def test_what_may_not_be_done_is_said_and_changes_nothing(watch: Callable[..., Watched]) -> None:
    admin = watch(Role.ADMIN)
    page = open_user(admin, EMAILS[Role.ADMIN])
    choose(page, "Papel", "Leitor")
    page.get_by_role("button", name="Salvar").click()
    expect(page.locator("#toasts")).to_contain_text("último administrador")
    admin.open("/admin/new-user")
    for email, said in ((EMAILS[Role.VIEWER], "já tem este e-mail"), ("nada", "não é um endereço")):
        page.fill("#user-email", email)
        page.click("#user-create")
        expect(page.locator("#toasts")).to_contain_text(said)
    assert admin.complaints == []


def test_the_link_is_shown_once_and_works_once(
    watch: Callable[..., Watched], browser: Browser
) -> None:
    admin = watch(Role.ADMIN)
    page = open_user(admin, EMAILS[Role.ANALYST])
    page.get_by_text("Criar link de redefinição…").click()
    page.get_by_role("button", name="Criar o link").click()
    link = page.locator(".secret code").inner_text()
    page.reload()
    admin.settle()
    expect(page.locator(".secret")).to_have_count(0)
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    other = context.new_page()
    referrers: list[str | None] = []
    other.on("request", lambda request: referrers.append(request.headers.get("referer")))
    other.goto(link)
    assert other.url.endswith("/reset")
    secret = link.rpartition("/")[2]
    assert not [one for one in referrers if one and secret in one]
    other.fill("#new", PASSWORD)
    other.fill("#again", PASSWORD)
    other.click("#set-password")
    other.wait_for_url("**/login?done=reset")
    expect(other.locator(".login-done")).to_have_text(
        "The password has been changed. Sign in with it."
    )
    assert other.goto(link).status == 404  # type: ignore[union-attr]
    expect(other.locator("h1")).to_have_text("This link is not valid")
    context.close()
    assert admin.complaints == []
