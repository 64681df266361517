"""Who may do what: roles, permissions and scopes as one table. Default deny."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The three roles of the product."""

    ADMIN = "ADMIN"
    ANALYST = "ANALYST"
    VIEWER = "VIEWER"


class Permission(StrEnum):
    """One word for each thing that a door can ask for."""

    ACCOUNT = "account"
    READ = "read"
    EXPORT = "export"
    ACT = "act"
    LOAD_DRY_RUN = "load_dry_run"
    LOAD = "load"
    MANAGE_RUNS = "manage_runs"
    MANAGE_SETTINGS = "manage_settings"
    MANAGE_USERS = "manage_users"
    READ_AUDIT = "read_audit"


_VIEWER = frozenset({Permission.ACCOUNT, Permission.READ})
_ANALYST = _VIEWER | {Permission.EXPORT, Permission.ACT, Permission.LOAD_DRY_RUN}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.ANALYST: frozenset(_ANALYST),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True)
class Scope:
    """The part of the network that a viewer may see. Empty means: all of it.

    A plain, hashable argument of every query, hence part of every cache key.
    """

    ufs: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """True if nothing is hidden."""
        return not self.ufs and not self.contracts

    def meets(self, other: Scope) -> bool:
        """True unless both are known to have nothing in common."""
        sides = ((self.ufs, other.ufs), (self.contracts, other.contracts))
        return all(not (one and another) or set(one) & set(another) for one, another in sides)


EVERYTHING = Scope()

COMPANY_WIDE = frozenset(
    {
        Permission.LOAD_DRY_RUN,
        Permission.LOAD,
        Permission.MANAGE_RUNS,
        Permission.MANAGE_SETTINGS,
        Permission.MANAGE_USERS,
        Permission.READ_AUDIT,
    }
)
"""Files, their rejects, runs and the audit log speak of the whole network: nobody with a scope may
see them. And whoever gives out scopes could widen their own."""


def may(role: Role | str | None, permission: Permission, scope: Scope = EVERYTHING) -> bool:
    """True if the role holds the permission over this scope; an unknown role holds none."""
    try:
        held = PERMISSIONS[Role(role or "")]
    except ValueError:
        return False
    return permission in held and (scope.everything or permission not in COMPANY_WIDE)
