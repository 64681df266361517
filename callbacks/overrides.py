"""The card of `/forecasts` with which people adjust the forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from math import isfinite
from typing import Any
from urllib.parse import parse_qs, urlencode

from dash import ALL, Dash, Input, Output, State, ctx, no_update, set_props

from auth.guards import current_viewer, requires
from auth.session import who_decides
from callbacks.address import Address
from callbacks.jobs import begin_anew, job_in, leave_off
from domain.access import Permission
from domain.clock import today
from domain.errors import InvalidInput, NotFound, OverrideEnded
from domain.overrides import Adjustment, Why
from domain.records import Filters, Job
from domain.viewer import Viewer
from layouts import overrides as layout
from warehouse.commands import overrides as commands
from warehouse.db import get_engine
from warehouse.queries import jobs, overrides, series
from warehouse.queries.paging import MAX_LIMIT

SHOWN = 20
"""Overrides of the history; in force all are shown, each with its button, up to `MAX_LIMIT`."""
PAST = ("expired", "ended", "superseded")
EXPIRES_DAYS = 90
ACT = Permission.ACT
TARGETS = {
    layout.QUANTITY: ("sku", "site"),
    "depot": ("sku", "site"),
    "item": ("sku",),
    "family": ("family",),
    "uf": ("uf",),
}
"""What narrows an adjustment to what it is of, each compulsory: without one it would reach more."""


def adjusting(viewer: Viewer, address: Address, sku: str, site: str) -> layout.Adjusting:
    """The card of one item at one site, as the address asks for it."""
    days = overrides.periods()
    here = series.one(sku=sku, site=site, scope=viewer.scope)
    known = {"family": here.family, "uf": here.uf}
    whats = [one for one in layout.WHATS if known.get(one, True)]
    in_force, history = (
        overrides.page(scope=viewer.scope, filters=Filters(sku=(sku,)), state=states, limit=limit)
        for states, limit in ((("in_force",), MAX_LIMIT), (PAST, SHOWN))
    )
    start, stop = _span(address, days)
    return layout.Adjusting(
        sku=sku,
        site=site,
        what=address.one("adjust", whats, layout.QUANTITY),
        whats=whats,
        periods=days,
        start=start,
        stop=stop,
        unit=here.unit,
        family=here.family,
        uf=here.uf,
        in_force=in_force,
        history=history,
        expires_on=today() + timedelta(days=EXPIRES_DAYS),
        may_act=viewer.may(ACT),
        job=_unfollowed(address.count("job")) if viewer.may(ACT) else None,
    )


def _span(address: Address, days: list[date]) -> tuple[date | None, date | None]:
    """First and last period as the address names them; the first one of all otherwise."""
    if not days:
        return None, None
    start = address.day("from")
    stop = address.day("to")
    start = start if start in days else days[0]
    return start, stop if stop in days and stop >= start else start


def _asked(search: str | None, of: Any, amount: Any) -> dict[str, Any]:
    """What the address and the form ask for of the series `of` the card, as plain values. Raises
    InvalidInput, NotFound for a series that is not in view."""
    viewer = current_viewer()
    address = Address.parse(search, viewer.t)
    target = _words(of, ("sku", "site"))
    what = address.one("adjust", layout.WHATS, layout.QUANTITY)
    periods = overrides.periods()
    start, stop = _span(address, periods)
    if not isinstance(amount, (int, float)) or isinstance(amount, bool) or not isfinite(amount):
        raise InvalidInput("The amount is missing.", fields={"amount": "is missing"})
    asked: dict[str, Any] = {
        "what": what,
        "amount": float(amount),
        "from": start and start.isoformat(),
        "to": stop and stop.isoformat(),
        "periods": [day.isoformat() for day in periods if _within(day, start, stop)],
    }
    if what in ("family", "uf"):
        target[what] = getattr(series.one(**target, scope=viewer.scope), what) or ""
    return asked | {name: target[name] for name in TARGETS[what]}


def _adjustment(asked: Any) -> Adjustment:
    """The same for the command, from what the browser kept, which may be forged. Raises
    InvalidInput."""
    what = _words(asked, ("what",))["what"]
    words: dict[str, Any] = dict(_words(asked, TARGETS.get(what, ())))
    amount = asked.get("amount")
    days = [_day(asked.get(name)) for name in ("from", "to")]
    if not isinstance(amount, (int, float)) or isinstance(amount, bool):
        raise InvalidInput("Preview it first.", fields={"other": "is not as it was"})
    if what != layout.QUANTITY:
        return Adjustment(**words, change=amount / 100, date_from=days[0], date_to=days[1])
    told = asked.get("periods")
    periods = [_day(one) for one in told] if isinstance(told, list) else []
    known = [day for day in periods if day is not None]
    return Adjustment(**words, quantities=dict.fromkeys(known, float(amount)))


def _previewed(asked: Any, entered: Any) -> Adjustment:
    """The adjustment that was previewed. Raises InvalidInput, also where another amount is
    `entered` by now."""
    adjustment = _adjustment(asked)
    if asked["amount"] != entered:
        raise InvalidInput("Preview it again.", fields={"previewed": "is not what is entered"})
    return adjustment


def _words(kept: Any, names: Sequence[str]) -> dict[str, str]:
    """These texts of what the browser kept, none of them empty. Raises InvalidInput."""
    told: dict[str, Any] = kept if isinstance(kept, dict) else {}
    given = [name for name in names if isinstance(told.get(name), str) and told[name]]
    if not given or len(given) < len(names):
        raise InvalidInput("Preview it first.", fields={"other": "is missing"})
    return {name: told[name] for name in given}


def _within(day: date, start: date | None, stop: date | None) -> bool:
    return start is not None and stop is not None and start <= day <= stop


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _why(reason: Any, note: Any, expires: Any) -> Why:
    """Raises InvalidInput for a date that is none."""
    day = Address({"d": expires if isinstance(expires, str) else ""}, current_viewer().t).day("d")
    if day is None:
        raise InvalidInput("The expiry is no date.", fields={"expires_on": "is no date"})
    words = note if isinstance(note, str) else ""
    return Why(reason if isinstance(reason, str) else "", day, words.replace("\x00", ""))


def _who() -> commands.Person:
    return commands.Person(**who_decides())


def _at(search: str | None, **changed: Any) -> str:
    """The same address with these parameters; None takes one out."""
    query = parse_qs((search or "").removeprefix("?"), keep_blank_values=True)
    query |= {name: [str(value)] for name, value in changed.items() if value is not None}
    kept = {k: v for k, v in query.items() if k not in changed or changed[k] is not None}
    return f"?{urlencode(kept, doseq=True)}"


def register(app: Dash) -> None:
    """Preview, save, end; waiting until policy and alerts have followed, leaving that off, and
    beginning it anew."""

    @app.callback(
        Output("override-preview", "children"),
        Input("override-preview-button", "n_clicks"),
        State("_pages_location", "search"),
        State("override-of", "data"),
        State("override-amount", "value"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def preview(clicks: int | None, search: str | None, of: Any, amount: Any) -> Any:
        if not clicks:
            return no_update
        viewer = current_viewer()
        try:
            asked = _asked(search, of, amount)
            told = overrides.preview(_adjustment(asked), scope=viewer.scope, user_id=viewer.user_id)
        except (InvalidInput, NotFound) as error:
            return layout.problems(list(error.fields) or ["other"], viewer)
        return layout.preview(told, asked, viewer)

    @app.callback(
        Output("override-address", "search"),
        Output("override-refused", "children"),
        Input("override-save", "n_clicks"),
        State("_pages_location", "search"),
        State("override-asked", "data"),
        State("override-amount", "value"),
        State("override-reason", "value"),
        State("override-note", "value"),
        State("override-expires", "value"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def save(clicks: int | None, search: str | None, asked: Any, amount: Any, *why: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            adjustment = _previewed(asked, amount)
            done = commands.save(get_engine(), adjustment, _why(*why), who=_who())
        except (InvalidInput, NotFound) as error:
            return no_update, layout.problems(list(error.fields) or ["other"], current_viewer())
        set_props("override-preview", {"children": []})
        return _at(search, job=done.job_id), no_update

    @app.callback(
        Output("override-ended", "search"),
        Input(layout.end_id(ALL), "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def end(_clicks: Any, search: str | None) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"] or not ctx.triggered_id:
            return no_update
        number = ctx.triggered_id["number"]
        if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
            raise NotFound("There is no such override.")
        try:
            return _at(search, job=commands.end(get_engine(), number, who=_who()).job_id)
        except OverrideEnded:
            set_props("_pages_location", {"search": search or ""})
            raise

    @app.callback(
        Output("override-followed", "search"),
        Output("override-work", "children"),
        Input("override-tick", "n_intervals"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def tick(ticks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        job_id = job_in(search, viewer)
        if not ticks or not job_id:
            return no_update, no_update
        job = _derivation(job_id, viewer)
        if job is None or job.state == "done":
            return _at(search, job=None), no_update
        return no_update, no_update if job.is_active else layout.not_followed(job, viewer)

    @app.callback(
        Output("override-cancelling", "children"),
        Input(layout.CANCEL, "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def cancel(clicks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        job_id = job_in(search, viewer)
        if not clicks or not job_id or _derivation(job_id, viewer) is None:
            return no_update
        return leave_off(job_id, viewer)

    @app.callback(
        Output("override-again", "search"),
        Input(layout.DERIVE, "n_clicks"),
        State("_pages_location", "search"),
        prevent_initial_call=True,
    )
    @requires(ACT)
    def derive(clicks: int | None, search: str | None) -> Any:
        viewer = current_viewer()
        ended = job_in(search, viewer)
        if not clicks or not ended or _derivation(ended, viewer) is None:
            return no_update
        return _at(search, job=begin_anew(ended, viewer))


def _unfollowed(job_id: int) -> Job | None:
    """The derivation, whoever asked for it, since pages are kept for others too; None for a job
    that is none, of another kind, and one that is done."""
    job = _derive_job(job_id, jobs.one) if job_id else None
    return None if job is None or job.state == "done" else job


def _derivation(job_id: int, viewer: Viewer) -> Job | None:
    """None for a job that is none, of another kind, and one that is not open to the reader."""
    return _derive_job(job_id, partial(jobs.one_for, viewer))


def _derive_job(job_id: int, find: Callable[[int], Job]) -> Job | None:
    try:
        job = find(job_id)
    except NotFound:
        return None
    return job if job.kind == "derive" else None
