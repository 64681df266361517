"""`/admin/reports`."""

from __future__ import annotations

from dash.development.base_component import Component
from flask_wtf.csrf import generate_csrf

from callbacks.address import Address
from callbacks.listing import listed
from callbacks.screen import screen
from domain.access import Permission
from domain.records import Option
from domain.viewer import Viewer
from layouts import admin_reports as layout
from warehouse import mail
from warehouse.commands.reports import may_have
from warehouse.queries import kpis, reports, users


@screen(Permission.MANAGE_USERS)
def page(viewer: Viewer, address: Address) -> Component:
    """Who gets the board pack by e-mail, and what became of each sending."""
    accounts = [Option(str(one.user_id), one.email) for one in users.listed() if may_have(one)]
    return layout.layout(
        layout.ReportsData(
            reports=reports.listed(),
            deliveries=listed(address, "", reports.deliveries, layout.ROWS),
            accounts=accounts,
            choices=kpis.filter_choices(scope=viewer.scope),
            sender=mail.sender(),
            csrf_token=generate_csrf(),
            query=address.query,
            notices=address.notices,
        ),
        viewer,
    )
