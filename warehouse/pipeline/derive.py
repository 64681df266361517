"""What follows from the facts and a run's forecasts: policy, alerts, accuracy, savings.

Formulas of `domain.inventory` over all series at once; every statement is set-based. `today` is
the last day that the facts speak of, not the wall clock: old data derives the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from math import inf

from sqlalchemy import Connection, Engine, text

from warehouse.caching import forget_version
from warehouse.commands.owners import note_release
from warehouse.commands.users import Actor
from warehouse.pipeline.alert_rows import stage_alerts, write_alerts
from warehouse.pipeline.alerting import alerts_of, together
from warehouse.pipeline.derivation import note_settings, settings_changed, setup_of
from warehouse.pipeline.drifting import drifts_of
from warehouse.pipeline.exposures import write_exposures
from warehouse.pipeline.lead_time_costs import write_lead_time_costs
from warehouse.pipeline.lead_times import measure_lead_times
from warehouse.pipeline.loads import one_writer_at_a_time
from warehouse.pipeline.open_orders import in_transit, open_orders
from warehouse.pipeline.overriding import apply_overrides, overrides_changed
from warehouse.pipeline.penalties import by_depot, penalties_by_contract
from warehouse.pipeline.policy import policy_of, write_policy, write_projection
from warehouse.pipeline.project_needs import project_needs, write_project_needs
from warehouse.pipeline.recommending import (
    recommendations_of,
    stage_recommendations,
    write_recommendations,
)
from warehouse.pipeline.savings import savings_of, stage_savings, write_savings
from warehouse.pipeline.scores import write_accuracy, write_metrics
from warehouse.pipeline.simulate import write_simulation
from warehouse.pipeline.unasked import with_unasked
from warehouse.pipeline.views import (
    note_derived,
    note_refreshed,
    refresh_needed,
    refresh_views,
)

STEPS = 6
"""Of `derive_run`."""
WAITING, SHOWING = 0, STEPS + 1
"""What else is told as a step: another is waited for; everything is made and is shown next."""
OnStep = Callable[[int], None]
"""Is told of every step as it begins. What it raises ends the work, of which nothing is kept."""


def quietly(_step: int) -> None:
    """Nobody waits to be told."""


def refresh_after_load(engine: Engine, on_step: OnStep = quietly) -> None:
    """After a load: views and the published run's derived tables, shown together. Does without a
    published run. Waits for a publish that is at work."""
    with _alone(engine, on_step), engine.begin() as connection:
        load_id = refresh_views(connection)
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar()
        if run_id is not None:
            derive_run(connection, run_id, on_step)
        on_step(SHOWING)
        note_refreshed(connection, load_id)
    forget_version()


def derive_overrides(engine: Engine, on_step: OnStep = quietly) -> bool:
    """The published run's derived tables with the overrides as they are now; False, with nothing
    done, where they hold them already. Waits for a publish that is at work."""
    return _derive_published(engine, overrides_changed, on_step)


def derive_settings(engine: Engine, on_step: OnStep = quietly) -> bool:
    """The same with the settings as they are now."""
    return _derive_published(engine, settings_changed, on_step)


def derive_load(engine: Engine, on_step: OnStep = quietly) -> bool:
    """What `refresh_after_load` does, where a load's was killed or failed; False, with nothing
    done, where another has done it since."""
    needed = refresh_needed(engine)
    if needed:
        refresh_after_load(engine, on_step)
    return needed


def _alone(engine: Engine, on_step: OnStep) -> AbstractContextManager[None]:
    """Holds the lock of those who write, however long it is waited for."""
    return one_writer_at_a_time(engine, inf, partial(on_step, WAITING))


def _derive_published(
    engine: Engine, needed: Callable[[Connection, int], bool], on_step: OnStep
) -> bool:
    with _alone(engine, on_step), engine.begin() as connection:
        run_id = connection.execute(text("SELECT run_id FROM analytics.published")).scalar()
        if run_id is None or not needed(connection, run_id):
            return False
        derive_run(connection, run_id, on_step)
        on_step(SHOWING)
        note_derived(connection)
    forget_version()
    return True


def derive_run(connection: Connection, run_id: int, on_step: OnStep = quietly) -> None:
    """Fills policy, project_need, alert, recommendation, lead_time_cost, sla_exposure,
    replay_input, service_curve and savings of a run, replacing what was there, and
    accuracy_by_step, once; the views must be up to date. Statuses of alerts and recommendations
    that persist are kept; people decide about them until all is computed and these rows are
    replaced, last. Alerts that an owner loses leave an audit row. `on_step` is told each of STEPS
    as it begins."""
    on_step(1)
    note_settings(connection, run_id)
    setup = setup_of(connection, run_id)
    apply_overrides(connection, run_id)
    measure_lead_times(connection, setup)
    orders, sent = open_orders(connection, setup), in_transit(connection, setup)
    needs = project_needs(connection, setup)
    penalties = penalties_by_contract(connection, setup.today)
    on_step(2)
    policy, met = policy_of(connection, setup, orders, sent, needs, by_depot(penalties))
    write_policy(connection, setup, policy)
    write_project_needs(connection, setup, needs, met)
    on_step(3)
    write_projection(connection, setup, policy)
    write_lead_time_costs(connection, setup, policy)
    write_exposures(connection, setup, policy, penalties)
    on_step(4)
    stock = with_unasked(connection, setup, policy, sent, needs)
    situations = alerts_of(stock, orders, setup.settings, setup.rates, setup.today)
    alerts = together([situations, drifts_of(connection, setup, policy)])
    on_step(5)
    write_accuracy(connection, setup)
    write_simulation(connection, setup, policy)
    on_step(6)
    stage_recommendations(connection, recommendations_of(connection, setup, stock, orders))
    stage_savings(connection, savings_of(connection, run_id))
    stage_alerts(connection, alerts)
    write_metrics(connection, setup)
    write_recommendations(connection, run_id)
    write_savings(connection, run_id)
    lost = write_alerts(connection, run_id)
    # last: until the commit nobody else can write into the audit log
    for email, count in lost.items():
        note_release(connection, Actor(), email, count)
