"""Every page: path, title, place in the navigation, permission, module. One table to audit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import dash
from dash import Dash

from auth.guards import current_viewer
from callbacks import (
    admin_audit,
    admin_data,
    admin_reports,
    admin_settings,
    admin_users,
    alerts,
    drivers,
    features,
    filters,
    forecasts,
    inventory,
    main,
    materials,
    not_found,
    overrides,
    parts,
    projects,
    recommendations,
    regions,
    savings,
    shell,
    sla,
    suppliers,
    what_if,
)
from callbacks.screen import address_asked_for
from domain.access import Permission
from domain.page_filters import variables_at
from layouts.shell import NavLink
from layouts.text import N_

VARIABLE = re.compile(r"<\w+>")


@dataclass(frozen=True)
class PageEntry:
    """One page. `nav_group` None keeps it out of the navigation; `function` names its entry."""

    path: str
    title_msgid: str
    nav_group: str | None
    permission: Permission
    module: ModuleType
    icon: str = ""
    function: str = "page"

    def is_at(self, path: str) -> bool:
        """True if the path leads to this page; a variable may hold anything, slashes included."""
        pattern = VARIABLE.sub(".+", self.path.strip("/"))
        return re.fullmatch(pattern, path.strip("/"), re.DOTALL) is not None

    @property
    def layout(self) -> Callable[..., object]:
        """The guarded function that makes the page from its path and query string."""
        return getattr(self.module, self.function)  # type: ignore[no-any-return]

    @property
    def is_shared(self) -> bool:
        """Whether all readers of one role, scope, language and look see the same."""
        return self.permission == Permission.READ and not getattr(self.layout, "personal", True)


OPERATION, PLANNING = N_("Operation"), N_("Planning")
ADMINISTRATION = N_("Administration")

PAGES: tuple[PageEntry, ...] = (
    PageEntry("/main", N_("Overview"), OPERATION, Permission.READ, main, "gauge"),
    PageEntry("/alerts", N_("Alerts"), OPERATION, Permission.READ, alerts, "bell"),
    PageEntry(
        "/recommendations",
        N_("Recommendations"),
        OPERATION,
        Permission.READ,
        recommendations,
        "check",
    ),
    PageEntry("/sla", N_("SLA"), OPERATION, Permission.READ, sla, "tower"),
    PageEntry("/sla/<contract>", N_("Contract"), None, Permission.READ, sla, function="detail"),
    PageEntry("/regions", N_("Regions"), OPERATION, Permission.READ, regions, "map"),
    PageEntry("/forecasts", N_("Forecasts"), PLANNING, Permission.READ, forecasts, "chart"),
    PageEntry("/features", N_("Models"), PLANNING, Permission.READ, features, "scale"),
    PageEntry("/savings", N_("Savings"), PLANNING, Permission.READ, savings, "level-good"),
    PageEntry("/what-if", N_("What if"), PLANNING, Permission.READ, what_if, "flask"),
    PageEntry("/inventory", N_("Inventory"), PLANNING, Permission.READ, inventory, "stack"),
    PageEntry("/materials", N_("Materials"), PLANNING, Permission.READ, materials, "box"),
    PageEntry(
        "/materials/<sku>", N_("Material"), None, Permission.READ, materials, function="detail"
    ),
    PageEntry("/suppliers", N_("Suppliers"), PLANNING, Permission.READ, suppliers, "truck"),
    PageEntry(
        "/suppliers/<supplier>",
        N_("Supplier"),
        None,
        Permission.READ,
        suppliers,
        function="detail",
    ),
    PageEntry("/drivers", N_("Drivers"), PLANNING, Permission.READ, drivers, "wave"),
    PageEntry("/projects", N_("Projects"), PLANNING, Permission.READ, projects, "flag"),
    PageEntry(
        "/projects/<project>", N_("Project"), None, Permission.READ, projects, function="detail"
    ),
    PageEntry(
        "/admin/data",
        N_("Data and runs"),
        ADMINISTRATION,
        Permission.LOAD_DRY_RUN,
        admin_data,
        "database",
    ),
    PageEntry(
        "/admin/settings",
        N_("Thresholds"),
        ADMINISTRATION,
        Permission.MANAGE_SETTINGS,
        admin_settings,
        "sliders",
    ),
    PageEntry(
        "/admin/users",
        N_("Users"),
        ADMINISTRATION,
        Permission.MANAGE_USERS,
        admin_users,
        "users",
    ),
    PageEntry(
        "/admin/reports",
        N_("Reports by e-mail"),
        ADMINISTRATION,
        Permission.MANAGE_USERS,
        admin_reports,
        "mail",
    ),
    PageEntry(
        "/admin/audit",
        N_("Audit log"),
        ADMINISTRATION,
        Permission.READ_AUDIT,
        admin_audit,
        "shield",
    ),
    PageEntry(
        "/admin/new-user",
        N_("New user"),
        None,
        Permission.MANAGE_USERS,
        admin_users,
        function="new",
    ),
    PageEntry(
        "/admin/users/<user_id>",
        N_("User"),
        None,
        Permission.MANAGE_USERS,
        admin_users,
        function="detail",
    ),
)


def page_at(path: str) -> PageEntry | None:
    """The page at this path."""
    return next((one for one in PAGES if one.is_at(path)), None)


def permission_at(path: str) -> Permission | None:
    """What the page at this path asks for; None if there is no page."""
    found = page_at(path)
    return found.permission if found else None


def register(app: Dash) -> None:
    """Binds the shell, every page and its callbacks to the app."""
    dash.page_registry.clear()
    for entry in PAGES:
        _register_page(entry)
    dash.register_page("not_found_404", path="/404", layout=not_found.page, title=not_found.title)
    for module in (
        *(admin_data, admin_settings, admin_users, alerts, filters, forecasts, inventory),
        *(overrides, parts, recommendations, shell),
    ):
        module.register(app)
    app.layout = shell.frame([_nav_link(entry) for entry in PAGES if entry.nav_group])


def _register_page(entry: PageEntry) -> None:
    place = {"path_template": entry.path} if "<" in entry.path else {"path": entry.path}
    dash.register_page(
        f"{entry.module.__name__}.{entry.function}",
        title=_title_of(entry),
        layout=entry.layout,
        **place,
    )


def _title_of(entry: PageEntry) -> Callable[..., str]:
    def title(**_encoded: str) -> str:
        path, _search = address_asked_for()
        name = current_viewer().t(entry.title_msgid)
        return " · ".join([*variables_at(path).values(), name, "Nova Corrente"])

    return title


def _nav_link(entry: PageEntry) -> NavLink:
    group = entry.nav_group or ""
    return NavLink(entry.path, entry.title_msgid, group, entry.icon, entry.permission)
