"""The words of the screens that are not written where they are shown: names of coded values."""

from __future__ import annotations

from domain.errors import NovaError
from domain.kpis import OTIF_DAYS, PERIODS_OF_MONTH, SLA_DAYS, STOCK_DAYS
from domain.records import Kpi
from domain.viewer import N_ as N_
from domain.viewer import Translator, Viewer
from layouts import format as fmt

MODELS = {
    "ensemble": N_("Ensemble"),
    "arima": N_("ARIMA"),
    "prophet": N_("Prophet"),
    "lstm": N_("LSTM"),
    "lightgbm": N_("LightGBM"),
    "ets": N_("ETS (exponential smoothing)"),
    "theta": N_("Theta"),
    "ces": N_("CES (complex smoothing)"),
    "ses": N_("SES (simple smoothing)"),
    "imapa": N_("IMAPA"),
    "tsb": N_("TSB"),
    "pooled": N_("Pooled smoothing"),
    "compound": N_("Compound demand"),
    "family": N_("Family season"),
    "naive": N_("Naive"),
    "seasonal_naive": N_("Seasonal naive"),
    "moving_average": N_("Moving average"),
}

FILTER_NAMES = {
    "period": N_("Period"),
    "region": N_("Region"),
    "uf": N_("UF"),
    "family": N_("Family"),
    "abc": N_("ABC"),
    "xyz": N_("XYZ"),
    "supplier": N_("Supplier"),
    "contract": N_("Contract"),
    "sku": N_("Material"),
    "site": N_("Depot"),
}

DEMAND_CLASSES = {
    "smooth": N_("Smooth"),
    "erratic": N_("Erratic"),
    "intermittent": N_("Intermittent"),
    "lumpy": N_("Lumpy"),
    "dead": N_("No recent demand"),
    "short": N_("Short history"),
}

DEMAND_CLASS_MEANING = {
    "smooth": N_("Demand comes often and in similar quantities: the models are at their best."),
    "erratic": N_("Demand comes often, but its quantity varies a lot: read the band."),
    "intermittent": N_("Demand comes seldom, in similar quantities: think in totals, not in days."),
    "lumpy": N_("Demand comes seldom and in very different quantities: the hardest to forecast."),
    "dead": N_("No demand for a long time: the forecast is close to zero."),
    "short": N_("The history is too short for a season to show: simple methods speak here."),
}

PERIODS_AHEAD = {
    "D": N_("Days ahead"),
    "W": N_("Weeks ahead"),
    "M": N_("Months ahead"),
}

LEVELS = {
    "critical": N_("Critical"),
    "warning": N_("Warning"),
    "info": N_("Information"),
}
ROLES = {"ADMIN": N_("Administrator"), "ANALYST": N_("Analyst"), "VIEWER": N_("Viewer")}

FREQUENCIES = {"D": N_("daily"), "W": N_("weekly"), "M": N_("monthly")}
PERIODS = {"D": N_("day"), "W": N_("week"), "M": N_("month")}
HORIZONS = {
    "D": N_("forecast of %(count)s days: %(span)s"),
    "W": N_("forecast of %(count)s weeks: %(span)s"),
    "M": N_("forecast of %(count)s months: %(span)s"),
}

LASTS = {
    "D": N_("Last %(count)s days"),
    "W": N_("Last %(count)s weeks"),
    "M": N_("Last %(count)s months"),
}

FILE_KINDS = {
    "demand": N_("demand"),
    "items": N_("items"),
    "sites": N_("sites"),
    "suppliers": N_("suppliers"),
    "stock": N_("stock"),
    "purchase_orders": N_("purchase orders"),
    "contracts": N_("contracts"),
    "outages": N_("outages"),
    "projects": N_("projects"),
    "equipment": N_("equipment readings"),
    "tower_kpis": N_("tower KPIs"),
    "drivers": N_("drivers"),
}

STRUCTURES = {
    "strong": N_("strong"),
    "reasonable": N_("reasonable"),
    "weak": N_("weak"),
    "none": N_("none to speak of"),
}

CLUSTER_REASONS = {
    "too_few": N_("There are too few members to tell apart, 30 are needed, or all are alike."),
    "not_in_run": N_("The published run was trained before the file was loaded: train again."),
}

FEW_FAILURES = N_(
    "Fewer than 20 failures are in the readings, or they are of fewer than five machines: too few"
    " to learn from."
)

RISK_REASONS = {
    "no_failures": N_("No failure is on record: there is nothing to learn from."),
    "few_failures": FEW_FAILURES,
    "not_in_run": N_("The published run was trained before the file was loaded: train again."),
}

SUPPLIER_KINDS = {"import": N_("abroad"), "domestic": N_("in Brazil"), "all": N_("all")}

LOAD_STATES = {
    "loading": N_("Loading"),
    "accepted": N_("Loaded"),
    "rejected": N_("Bad rows"),
    "failed": N_("Refused"),
    "stopped": N_("Stopped"),
}

JOB_TITLES = {
    "dry_run": N_("Check"),
    "load": N_("Load"),
    "publish": N_("Publish"),
}

FOLLOWED = {
    "override": N_("Adjustment of the forecast"),
    "setting": N_("Change of settings"),
    "load": N_("Figures after a load"),
}
"""What a derivation follows."""

SETTING_ROWS = {
    "policy": N_("alerts and stock policy"),
    "recommendations": N_("value at stake"),
}

PHASES = {
    "waiting": N_("Starting…"),
    "reading": N_("Reading: %(rows)s rows so far"),
    "deriving": N_("Loaded; the pages' figures are being computed…"),
    "publishing": N_("Publishing…"),
    "showing": N_("Everything is computed; it is shown next…"),
}

OUTCOMES = {
    "accepted": N_("Loaded"),
    "dry-run": N_("In order"),
    "unchanged": N_("Loaded before, not changed"),
    "rejected": N_("Bad rows"),
    "failed": N_("Refused"),
    "skipped": N_("Left out"),
}

RUN_STATES = {
    "published": N_("Published"),
    "ready": N_("Can be published"),
    "loading": N_("Loading"),
    "dropped": N_("Dropped"),
}

REGIONS = {
    "Norte": N_("North"),
    "Nordeste": N_("Northeast"),
    "Centro-Oeste": N_("Centre-West"),
    "Sudeste": N_("Southeast"),
    "Sul": N_("South"),
}

LEVEL_NAMES = {
    "item_depot": N_("Material at a depot"),
    "item_uf": N_("Material in a state"),
    "item_region": N_("Material in a region"),
    "item_country": N_("Material in Brazil"),
    "family_uf": N_("Family in a state"),
    "family_region": N_("Family in a region"),
    "family_country": N_("Family in Brazil"),
    "all_country": N_("Everything in Brazil"),
}


def named(names: dict[str, str], code: str | None, t: Translator) -> str:
    """The reader's word for a coded value; an unknown code speaks for itself, none is a dash."""
    if code is None:
        return "—"
    return t(names[code]) if code in names else code


DRIVERS = {
    "holidays": N_("Holidays, days"),
    "rain_mm": N_("Rain, mm a day"),
    "temperature_c": N_("Temperature, °C"),
    "wind_gust_kmh": N_("Wind gusts, km/h"),
    "humidity_pct": N_("Humidity, %"),
    "usd_brl": N_("Dollar, R$"),
    "selic_pct": N_("Selic a year, %"),
    "ipca_month_pct": N_("IPCA in the month, %"),
    "ipca_12_months_pct": N_("IPCA over twelve months, %"),
    "igpm_month_pct": N_("IGP-M in the month, %"),
    "unemployment_pct": N_("Unemployment, %"),
    "holiday": N_("Holidays by UF, 1 on the day"),
    "contract_renewal": N_("Contract renewals, 1 on the day"),
    "rollout_5g_share": N_("5G roll-out, share of sites"),
    "expected_parts": N_("Parts expected by failure risk, units"),
}

UNTRIED_PARTS = {
    "not_loaded": N_(
        "Readings of machines are not loaded: load the file equipment and train again."
    ),
    "no_parts": N_(
        "No item says which machines take it: fill equipment_kind in the file items and train"
        " again."
    ),
    "not_daily": N_("They are tried on daily demand only."),
    "read_once": N_(
        "The machines were read once: without earlier readings nobody knows what was expected in"
        " the past. Load the earlier readings of each machine and train again."
    ),
    "few_failures": FEW_FAILURES,
    "short_history": N_(
        "Demand and readings share too few months: seven forecast horizons and the weeks before"
        " them are needed, with 20 failures before the earliest."
    ),
    "few_series": N_("Fewer than five series of a demand class are of parts that machines take."),
}


def driver_name(code: str, t: Translator) -> str:
    """A driver's name with its unit; the code of one that is not known here."""
    return named(DRIVERS, code, t)


def measure_name(name: str, t: Translator, *, of_period: bool, frequency: str | None) -> str:
    """A measure of the map, over its own span or over dates that were asked for."""
    if of_period and name in MEASURE_NAMES_OF_PERIOD:
        return t(MEASURE_NAMES_OF_PERIOD[name])
    days = usual_days(name, frequency)
    return t(MEASURE_NAMES[name], span=t("%(count)s days", count=days) if days else t("1 month"))


def usual_days(name: str, frequency: str | None) -> int | None:
    """What a measure of the map looks back where no dates are asked for, in days; None for the
    demand of a whole month."""
    if name != "demand_brl":
        return {"availability": SLA_DAYS}.get(name, STOCK_DAYS)
    periods = PERIODS_OF_MONTH[frequency or "D"]
    return {"D": periods, "W": 7 * periods}.get(frequency or "D")


KPI_NAMES = {
    "annual_savings": N_("Savings a year"),
    "wape": N_("Forecast error (WAPE)"),
    "stockout_rate": N_("Stockout rate, %(span)s"),
    "inventory_value": N_("Inventory value"),
    "days_of_supply": N_("Days of supply"),
    "open_critical_alerts": N_("Critical alerts"),
    "demand_value": N_("Demand, last month"),
    "forecast_value": N_("Forecast demand"),
    "otif": N_("OTIF, %(span)s"),
    "sla_availability": N_("Availability, %(span)s"),
}
KPI_DAYS = {"stockout_rate": STOCK_DAYS, "otif": OTIF_DAYS, "sla_availability": SLA_DAYS}

KPI_HELP = {
    "annual_savings": N_(
        "Costs of the old policy less costs of ours, both replayed on the demand that then"
        " happened: holding, stockouts, expediting, orders. Identified, not booked."
    ),
    "wape": N_("Share of the demand that the ensemble missed in the backtest."),
    "stockout_rate": N_("Share of the days on which a stock with demand stood at zero."),
    "inventory_value": N_("What the stock on hand cost."),
    "days_of_supply": N_("How long the stock lasts at the pace of the forecast."),
    "open_critical_alerts": N_("Open alerts of the highest level."),
    "demand_value": N_("What was consumed in the last month, at unit cost."),
    "forecast_value": N_("What will be consumed over the horizon, at unit cost."),
    "otif": N_("Share of the order lines that came on time and in full."),
    "sla_availability": N_("Share of the time in which the towers under contract were up."),
}

KPI_NAMES_OF_PERIOD = {
    "demand_value": N_("Demand in the period"),
    "stockout_rate": N_("Stockout rate"),
    "otif": N_("OTIF"),
    "sla_availability": N_("SLA availability"),
}
KPI_HELP_OF_PERIOD = {"demand_value": N_("What was consumed in the period, at unit cost.")}
"""The same where dates are asked for, if that is not the same."""


def kpi_name(kpi: Kpi, t: Translator) -> str:
    """What a headline number is called; of some with the days back that it is of by itself."""
    names = KPI_NAMES | (KPI_NAMES_OF_PERIOD if kpi.of_period else {})
    days = t("%(count)s days", count=KPI_DAYS.get(kpi.key))
    return t(names.get(kpi.key, kpi.key), span=days)


def kpi_help(kpi: Kpi, t: Translator) -> str:
    """What it says, in a sentence."""
    return named(KPI_HELP | (KPI_HELP_OF_PERIOD if kpi.of_period else {}), kpi.key, t)


RECEIPT_WORDS = (
    N_("costs of the old policy"),
    N_("costs of ours"),
    N_("months replayed"),
    N_("of that, accepted"),
    N_("of that, realised"),
    N_("both policies on the last 12 months of the published run's data, month by month"),
    N_("sum of absolute errors"),
    N_("sum of actual demand"),
    N_("item-depot-days without stock"),
    N_("item-depot-days with demand possible"),
    N_("stock on hand at unit cost"),
    N_("stock on hand of the series with a forecast"),
    N_("forecast demand over the horizon"),
    N_("horizon"),
    N_("open critical alerts"),
    N_("demand at unit cost"),
    N_("forecast demand at unit cost"),
    N_("lines on time and in full"),
    N_("lines promised"),
    N_("downtime"),
    N_("sites under contract"),
    N_("period"),
    N_("backtest of the ensemble, all origins (Kolassa & Schütz 2007)"),
    N_("stock positions that have demand, last 30 days of the stock file"),
    N_("latest stock on hand of each item and depot, at unit cost"),
    N_("stock with a forecast, against the forecast, at unit cost"),
    N_("alerts of the published run"),
    N_("demand at unit cost, last 30 days (28 where demand is weekly, a month where monthly)"),
    N_("mean of the ensemble over the horizon, at unit cost; before: demand of as many periods"),
    N_("order lines promised in the last 90 days, against the first promised date (SCOR RL.1.1)"),
    N_("outages of the sites under contract, last 30 days (ITU-T E.800)"),
    N_("both policies on the demand of the period's months, month by month"),
    N_("stock positions that have demand, on the days of the period"),
    N_("demand of the period, at unit cost"),
    N_("order lines promised in the period, against the first date (SCOR RL.1.1)"),
    N_("outages of the sites under contract, in the period (ITU-T E.800)"),
    N_("On hand today"),
    N_("on hand when it was last counted"),
    N_("last counted on"),
    N_("demand since then"),
    N_("received since then"),
    N_("in transit then, there by now"),
    N_("Available"),
    N_("on hand"),
    N_("reserved"),
    N_("Demand over the lead time"),
    N_("forecast demand of a day, mean of the lead time"),
    N_("lead time"),
    N_("Safety stock"),
    N_("Safety stock by the textbook"),
    N_("demand over the lead time that the service level covers, by simulation"),
    N_("cycle service level"),
    N_("σ of the demand over the lead time"),
    N_("Reorder point"),
    N_("forecast demand over the lead time"),
    N_("safety stock"),
    N_("At risk"),
    N_("Available and on order, less what projects will take"),
    N_("on order and in transit"),
    N_("for projects within the lead time"),
    N_("Cost of a missing unit"),
    N_("premium of an emergency purchase"),
    N_("contract penalty to be expected of a request"),
    N_("units of a usual request"),
    N_("Longer lead time"),
    N_("mean lead time of the last orders"),
    N_("lead time until then"),
    N_("At risk: the demand of the days by which it takes longer"),
    N_("days by which it takes longer"),
    N_("Standard deviations off the forecast"),
    N_("demand on the days compared"),
    N_("what was forecast for it"),
    N_("σ of the forecast's sum"),
    N_("At risk: what is asked for beyond the forecast in a lead time"),
    N_("days compared"),
    N_("At risk: the demand of the days that nobody saw"),
    N_("days without data"),
    N_("Cost of acting"),
    N_("cost of hurry, where an order comes too late"),
    N_("At risk, net of acting"),
    N_("at risk"),
    N_("cost of acting"),
    N_("expected unmet demand over the lead time, also until what is on its way arrives"),
    N_("unit cost"),
    N_("Idle quantity"),
    N_("stock that is enough"),
    N_("Idle capital"),
    N_("idle quantity"),
    N_("Cost of holding it for a year"),
    N_("idle capital"),
    N_("holding rate a year"),
    N_("Days late"),
    N_("last day of the data"),
    N_("promised on"),
)

AUDIT_ACTIONS = {
    "page.view": N_("Page opened"),
    "api": N_("API call"),
    "export": N_("Export"),
    "denied": N_("Access denied"),
    "refused": N_("Request refused"),
    "login": N_("Sign-in"),
    "login.refused": N_("Sign-in refused"),
    "login.oidc": N_("Sign-in by the organisation"),
    "login.oidc.refused": N_("Sign-in by the organisation refused"),
    "api.login": N_("Sign-in by API"),
    "api.login.refused": N_("Sign-in by API refused"),
    "api.refresh.reused": N_("Refresh token used again"),
    "logout": N_("Sign-out"),
    "load": N_("File loaded"),
    "load.refused": N_("File refused"),
    "load.derive": N_("Load derived"),
    "load.derive.refused": N_("Load not derived"),
    "load.dry_run": N_("File checked"),
    "load.dry_run.refused": N_("File checked and refused"),
    "job.start": N_("Job started"),
    "job.cancel": N_("Job cancelled"),
    "publish": N_("Run published"),
    "publish.refused": N_("Run not published"),
    "alert.status": N_("Alert decided on"),
    "alert.assign": N_("Alert given to somebody"),
    "setting.change": N_("Threshold changed"),
    "setting.derive": N_("Threshold derived"),
    "setting.derive.refused": N_("Threshold not derived"),
    "override": N_("Adjustment of the forecast"),
    "override.save": N_("Forecast adjusted"),
    "override.end": N_("Adjustment ended"),
    "override.supersede": N_("Adjustment superseded"),
    "override.derive": N_("Adjustment derived"),
    "override.derive.refused": N_("Adjustment not derived"),
    "user": N_("Change of a user"),
    "user.create": N_("User created"),
    "user.rename": N_("User renamed"),
    "user.set_email": N_("Address changed"),
    "user.set_role": N_("Role changed"),
    "user.set_scope": N_("Scope changed"),
    "user.release_alerts": N_("Alerts taken from a user"),
    "user.enable": N_("User enabled"),
    "user.disable": N_("User disabled"),
    "user.link": N_("User linked to the organisation's sign-in"),
    "user.unlink": N_("User unlinked from the organisation's sign-in"),
    "user.set_password": N_("Password changed"),
    "user.set_password.refused": N_("Password change refused"),
    "user.make_reset_link": N_("Password link made"),
    "user.reset_password": N_("Password chosen by link"),
    "user.end_sessions": N_("Sessions ended"),
    "user.set_language": N_("Language changed"),
    "user.export": N_("Personal data exported"),
    "user.anonymise": N_("Person erased"),
    "audit.retain": N_("Old audit months dropped"),
}

CHAIN_PROBLEMS = (
    N_("rows before it are missing"),
    N_("it does not follow the row before"),
    N_("it was erased without a record"),
    N_("it was changed"),
    N_("it and perhaps rows before it are missing at the end"),
)

MEASURE_NAMES = {
    "demand_brl": N_("Demand, %(span)s"),
    "stockout_rate": N_("Stockout rate, %(span)s"),
    "stock_brl": N_("Stock value"),
    "days_of_supply": N_("Days of supply"),
    "alerts": N_("Open alerts"),
    "critical": N_("Critical alerts"),
    "risk_brl": N_("At risk, net"),
    "exposure_brl": N_("Penalty exposure"),
    "availability": N_("Availability, %(span)s"),
    "depots": N_("Depots"),
    "towers": N_("Towers"),
    "stations": N_("Mobile base stations"),
}
MEASURE_NAMES_OF_PERIOD = {
    "demand_brl": N_("Demand in the period"),
    "stockout_rate": N_("Stockout rate in the period"),
    "availability": N_("Availability in the period"),
}
"""Of the measures that add up days, over dates that were asked for."""
METHOD_NAMES = {
    "quantile": N_("quantile (simulated)"),
    "textbook": N_("textbook (formula)"),
}
THRESHOLD_NAMES = {
    "critical_days": N_("Critical: stockout within"),
    "warning_days": N_("Warning: stockout within"),
    "in_transit_days": N_("In transit without an order: there after"),
    "late_days": N_("Late order: warning after"),
    "forgotten_days": N_("Overdue order: not counted on after"),
    "excess_days": N_("Excess: more than the demand of"),
    "dead_days": N_("Dead stock: not asked for in"),
    "drift_days": N_("Lead time drift: longer by"),
    "drift_share": N_("Lead time drift: longer by a share of"),
    "drift_z": N_("Forecast drift: off by"),
    "gap_days": N_("Gap in the data: silent for"),
    "service_level_a": N_("Cycle service of class A"),
    "service_level_b": N_("Cycle service of class B"),
    "service_level_c": N_("Cycle service of class C"),
    "default_service_level": N_("Cycle service without a class"),
    "risk_high": N_("Criticality 8 to 10: share of the risk"),
    "risk_medium": N_("Criticality 4 to 7: share of the risk"),
    "risk_low": N_("Criticality 0 to 3: share of the risk"),
    "order_cost_brl": N_("Cost of placing an order"),
    "holding_rate": N_("Cost of holding stock for a year"),
    "emergency_premium": N_("Emergency purchase: premium"),
    "review_days": N_("Recommend what will show within"),
    "cover_days": N_("Value of a purchase: lead time and"),
    "expedite_days": N_("Hurry: soonest arrival"),
    "expedite_premium": N_("Hurry: premium"),
    "expedite_cost_brl": N_("Hurry: cost of each order"),
    "move_cost_brl": N_("Transfer: handling"),
    "move_brl_per_km": N_("Transfer: freight of a km"),
    "move_value_share": N_("Transfer: insurance per 1,000 km"),
    "giver_cover_days": N_("Transfer: the giver keeps"),
    "reduce_cost_brl": N_("Reducing excess: work"),
    "switch_cost_brl": N_("Changing a supplier: work"),
    "least_value_brl": N_("Least value of a recommendation"),
}
THRESHOLD_HELP = {
    "critical_days": N_("A projected stockout this near is critical."),
    "warning_days": N_("This near, or within the lead time, it is a warning."),
    "in_transit_days": N_("Days after the count; what an open order explains comes with it."),
    "late_days": N_("With stock at the reorder point or under it."),
    "forgotten_days": N_("Projected stock no longer waits for it."),
    "excess_days": N_("And more than the order-up-to level."),
    "dead_days": N_("Nothing went out for so long."),
    "drift_days": N_("The last orders against those before."),
    "drift_share": N_("Of the usual lead time; both must hold."),
    "drift_z": N_("Standard deviations of what was forecast since."),
    "gap_days": N_("And five times as long as usual."),
    "service_level_a": N_("For items without a service level of their own."),
    "service_level_b": N_("For items without a service level of their own."),
    "service_level_c": N_("For items without a service level of their own."),
    "default_service_level": N_("For items without a service level of their own."),
    "risk_high": N_("Of running out of stock, as the cycle service leaves it."),
    "risk_medium": N_("Of running out of stock, as the cycle service leaves it."),
    "risk_low": N_("Of running out of stock, as the cycle service leaves it."),
    "order_cost_brl": N_("Makes lots larger."),
    "holding_rate": N_("Of its value; makes lots smaller."),
    "emergency_premium": N_("What a missing unit costs beyond its price, penalties apart."),
    "review_days": N_("A need that comes later is not recommended yet."),
    "cover_days": N_("Missing units that it avoids are counted for so long."),
    "expedite_days": N_("An order in a hurry takes so long."),
    "expedite_premium": N_("Of the value of the order."),
    "expedite_cost_brl": N_(
        "Beside the premium; in savings and what-ifs, of each request not served."
    ),
    "move_cost_brl": N_("Of each move."),
    "move_brl_per_km": N_("Whatever it carries."),
    "move_value_share": N_("Of the value of the goods."),
    "giver_cover_days": N_(
        "Days of demand above its reorder point, at least as many as needs are recommended ahead."
    ),
    "reduce_cost_brl": N_("Of getting rid of it."),
    "switch_cost_brl": N_("Once, for each item."),
    "least_value_brl": N_("Of reductions, hurry and changes of supplier."),
}
ALERT_STATUSES = {
    "open": N_("Open"),
    "acknowledged": N_("Acknowledged"),
    "snoozed": N_("Snoozed for now"),
    "resolved": N_("Resolved"),
}
ALERT_STATUS = {
    "open": N_("Open"),
    "acknowledged": N_("Alert acknowledged"),
    "snoozed": N_("Alert snoozed"),
    "resolved": N_("Alert resolved"),
}
"""Of one of them."""
ALERT_DONE = {
    "open": N_("Open again."),
    "acknowledged": N_("Acknowledged."),
    "snoozed": N_("Snoozed for a week."),
    "resolved": N_("Resolved."),
    "mine": N_("You look after it now."),
    "nobody": N_("Nobody looks after it now."),
    "given": N_("Given away."),
}
ALERT_KINDS = {
    "stockout_imminent": N_("Stockout ahead"),
    "below_reorder_point": N_("Below reorder point"),
    "late_order": N_("Late order"),
    "excess": N_("Excess stock"),
    "dead_stock": N_("Dead stock"),
    "lead_time_drift": N_("Lead time has drifted"),
    "forecast_drift": N_("Forecast has drifted"),
    "data_gap": N_("Gap in the data"),
}

ERRORS = {
    "error": N_("The server could not do this. Nothing was changed; the error has been logged."),
    "invalid_input": N_("A value is not acceptable. Nothing was changed."),
    "reason_required": N_("Say why: a rejection needs its reason. Nothing was changed."),
    "override_ended": N_("This adjustment has been ended already."),
    "step_not_allowed": N_("Its status no longer allows this. Nothing was changed."),
    "steps_not_allowed": N_(
        "The status of %(count)s of %(all)s no longer allows this: untick them. Nothing was"
        " changed."
    ),
    "quantity_changed": N_(
        "The quantity has changed meanwhile: it is now %(now)s. Nothing was changed; load the page"
        " anew."
    ),
    "quantities_changed": N_(
        "%(count)s of %(all)s quantities have changed meanwhile. Nothing was changed; load the page"
        " anew."
    ),
    "owner_cannot_see": N_(
        "This person may not see %(count)s of these alerts: choose somebody else. Nothing was"
        " changed."
    ),
    "nothing_selected": N_("Nothing is selected: tick some first."),
    "not_allowed": N_("You may not do this. Nothing was changed."),
    "not_found": N_("This does not exist, or you may not see it."),
    "unknown_material": N_("There is no such material, or you may not see it."),
    "nothing_published": N_("No forecasts have been published yet"),
    "invalid_email": N_(
        "This is no e-mail address, or it holds characters that cannot be seen. Nothing was"
        " changed."
    ),
    "email_taken": N_("Another user has this e-mail. Nothing was changed."),
    "last_administrator": N_(
        "This is the last active administrator: nobody could manage users any more."
    ),
    "too_many_views": N_("You have %(count)s saved views already: delete one first."),
    "view_address_too_long": N_(
        "With all its filters the address has more than %(count)s letters: choose fewer of them."
    ),
    "view_name_taken": N_("Another view of this page has this name."),
    "bad_view_name": N_("Write a name of up to %(count)s letters."),
    "not_for_report": N_("This user is disabled or may not export: choose another one."),
    "bad_report": N_(
        "Choose who gets it, how often, the day (of the month: 1 to 28) and the hour (0 to 23)."
    ),
    "unavailable": N_("The database does not answer now. Try again in a moment."),
    "being_updated": N_("The figures are being brought up to date. Try again in a moment."),
}


def error_text(error: Exception, viewer: Viewer) -> str:
    """What is said to people of an error, by its code."""
    code, params = (error.code, error.params) if isinstance(error, NovaError) else ("error", {})
    told = {
        name: value if isinstance(value, str) else fmt.quantity(value, viewer.locale)
        for name, value in params.items()
    }
    return viewer.t(ERRORS.get(code, ERRORS["error"]), **told)


OVERRIDE_REASONS = {
    "promotion": N_("Promotion or roll-out"),
    "outage": N_("Known outage"),
    "project": N_("Project"),
    "contract_start": N_("Start of a contract"),
    "contract_end": N_("End of a contract"),
    "data_error": N_("Error in the data"),
    "supplier_news": N_("News from a supplier"),
    "other": N_("Other"),
}

OVERRIDE_STATES = {
    "in_force": N_("In force"),
    "expired": N_("Expired"),
    "ended": N_("Ended"),
    "superseded": N_("Superseded"),
}

OVERRIDE_WHATS = {
    "quantity": N_("Quantity of this material at this depot"),
    "depot": N_("Percentage, this material at this depot"),
    "item": N_("Percentage, this material at all depots in view"),
    "family": N_("Percentage, all of the family"),
    "uf": N_("Percentage, all of the state"),
}

OVERRIDE_FIELDS = {
    "amount": N_("Amount: give a number."),
    "change": N_("Change: give a percentage from −100 to 500, other than 0."),
    "periods": N_("Quantity and periods: 0 or more, for periods of the forecast still ahead."),
    "from": N_("First period: choose one of the forecast that still lies ahead."),
    "to": N_("Last period: choose one that is not before the first."),
    "reason": N_("Reason: choose one of the list."),
    "note": N_("In words: say what the reason is, in 500 characters at most."),
    "expires_on": N_("Counts until: give a date after today, as 2026-12-31."),
    "sku": N_("Material: nothing in view matches, or it reaches too far. Choose less."),
    "site": N_("Depot: there is no published forecast in view for it."),
    "family": N_("Family: there is no published forecast in view for it."),
    "uf": N_("State: you may not see it, or it has no published forecast."),
    "previewed": N_("The amount has changed since the preview: preview it again."),
    "other": N_("This could not be used: preview it again."),
}

VALUE_OVERS = {
    "backtest": N_("Over the backtest"),
    "overridden": N_("Over the periods that were adjusted by hand and have passed"),
}

VALUE_STEPS = {
    "naive": N_("Seasonal naive"),
    "model": N_("Ensemble"),
    "override": N_("Adjusted by hand"),
}

INPUT_UNITS = {
    "units": N_("units"),
    "units/day": N_("units a day"),
    "units/year": N_("units a year"),
    "BRL": N_("R$"),
    "BRL/unit": N_("R$ a unit"),
    "days": N_("days"),
    "hours": N_("hours"),
    "fraction": "",
    "percent": "%",
    "ratio": "",
    "count": "",
}
"""Units of a formula's inputs and result."""

FORMULA_WORDS = (
    N_("Reorder point"),
    N_("Order when stock on hand and on order has come down to it."),
    N_("Silver, Pyke & Thomas (2017), Inventory and Production Management in Supply Chains"),
    N_("demand a day"),
    N_("lead time"),
    N_("safety stock"),
    N_("Safety stock, fixed lead time"),
    N_("What covers demand above its mean while an order is under way."),
    N_("cycle service level"),
    N_("deviation of a day's demand"),
    N_("Safety stock, variable lead time"),
    N_("The same where the lead time itself varies."),
    N_("deviation of the lead time"),
    N_("Economic order quantity"),
    N_("The lot with the least cost of ordering and holding together."),
    N_("Harris (1913), How many parts to make at once"),
    N_("demand a year"),
    N_("cost of an order"),
    N_("holding a unit for a year"),
    N_("Newsvendor"),
    N_("What to have for one period when a missing and a left-over unit cost differently."),
    N_("Snyder & Shen (2019), Fundamentals of Supply Chain Theory"),
    N_("mean demand"),
    N_("deviation of demand"),
    N_("cost of a missing unit"),
    N_("cost of a unit left over"),
    N_("Days to stockout"),
    N_("When stock with what is on order reaches zero at today's rate."),
    N_("on hand"),
    N_("on order"),
    N_("arrives in"),
    N_("WAPE"),
    N_("The errors' share of demand: one number for many items."),
    N_("Hyndman & Koehler (2006), Another look at measures of forecast accuracy"),
    N_("actual demand, by period"),
    N_("forecast, by period"),
    N_("MAPE"),
    N_("The mean of relative errors, over periods with demand alone."),
    N_("MASE"),
    N_("The mean error against that of the season before, in the history: below 1 is better."),
    N_("history before, by period"),
    N_("season, in periods"),
    N_("MAE"),
    N_("The mean error, in units."),
    N_("RMSE"),
    N_("The root of the mean squared error, in units: large errors count more."),
    N_("Bias"),
    N_("Whether forecasts are too high (above 0) or too low."),
    N_("Ensemble"),
    N_(
        "The published forecast of continuous demand. A member with an error of more than"
        " 1.15 times the best's is dropped; of the rest it is half the mean, weighted by "
        "the inverse of their errors, half the median. From five on the mean leaves out "
        "the lowest and highest."
    ),
    N_("Jose & Winkler (2008), Simple robust averages of forecasts"),
    N_("forecasts of the members"),
    N_("their errors in the backtest"),
    N_("Availability"),
    N_("The share of the sites' time without an outage."),
    N_("ITU-T E.800"),
    N_("downtime of all sites"),
    N_("sites"),
    N_("days"),
    N_("Penalty"),
    N_("The percent of the band that a month's downtime exceeds, not above the cap, of the fee."),
    N_("the contract's schedule"),
    N_("downtime of a site in the month"),
    N_("first band: above"),
    N_("first band: percent of the fee"),
    N_("second band: above"),
    N_("second band: percent of the fee"),
    N_("cap, percent of the fee"),
    N_("monthly fee"),
    N_("Savings"),
    N_("What the old policy cost on the demand that then happened, less what ours cost on it."),
    N_("replay of both policies"),
    N_("holding, old policy"),
    N_("missing units, old policy"),
    N_("expediting, old policy"),
    N_("orders, old policy"),
    N_("holding, ours"),
    N_("missing units, ours"),
    N_("expediting, ours"),
    N_("orders, ours"),
)
"""What `domain.formulas` says."""
