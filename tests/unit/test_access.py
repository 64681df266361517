"""Who may do what, as one table."""

from __future__ import annotations

import pytest

from domain.access import EVERYTHING, Permission, Role, Scope, may

EXPECTED = {
    Role.VIEWER: {"account", "read"},
    Role.ANALYST: {"account", "read", "export", "act", "load_dry_run"},
    Role.ADMIN: {str(permission) for permission in Permission},
}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_these_permissions_and_no_others(role: Role) -> None:
    held = {str(permission) for permission in Permission if may(role, permission)}
    assert held == EXPECTED[role]


@pytest.mark.parametrize("role", [None, "", "viewer", "ROOT"])
def test_an_unknown_role_may_nothing(role: str | None) -> None:
    assert not any(may(role, permission) for permission in Permission)


def test_files_runs_users_and_audit_are_for_those_who_may_see_everything() -> None:
    scope = Scope(ufs=("BA",))
    hidden = {str(one) for one in Permission if not may(Role.ADMIN, one, scope)}
    manages = {"manage_runs", "manage_settings", "manage_users"}
    assert hidden == {"load_dry_run", "load", "read_audit", *manages}


def test_an_empty_scope_hides_nothing() -> None:
    assert EVERYTHING.everything and not Scope(ufs=("SP",)).everything
    assert not Scope(contracts=("C-1",)).everything
