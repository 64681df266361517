"""Saved views: a page's address under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.access import Role
from domain.errors import BadViewName, InvalidInput, ViewAddressTooLong

NO_PAGE = "is no page of this site"
MOST_LETTERS, LONGEST, MOST_VIEWS = 80, 2000, 50


@dataclass(frozen=True)
class SavedView:
    """One view. `query` is the address's, without the question mark; `shared_with` the role that
    sees it too; `is_start`: it is what the reader begins with; `is_role_start`: what those of the
    role do who have chosen nothing themselves."""

    view_id: int
    name: str
    page: str
    query: str
    mine: bool
    owner: str
    shared_with: str | None
    is_start: bool
    is_role_start: bool

    @property
    def address(self) -> str:
        """Where it leads."""
        return address_of(self.page, self.query)


def address_of(page: str, query: str | None) -> str:
    """A page with its query, which is given without the question mark."""
    return f"{page}?{query}" if query else page


def checked(
    name: str, address: str, shared_with: str, may_open: Callable[[str], bool]
) -> tuple[str, str, str, Role | None]:
    """Name, page, query and role of a view to be saved; `may_open` tells whether a path is a page
    that its owner may open. Raises InvalidInput for each that cannot be."""
    said = checked_name(name)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise _wrong("address", NO_PAGE) from None
    if len(address) > LONGEST:
        raise _wrong("address", f"has more than {LONGEST} letters", ViewAddressTooLong, LONGEST)
    is_away = parts.scheme or parts.netloc or not parts.path.startswith("/")
    if is_away or not may_open(parts.path):
        raise _wrong("address", NO_PAGE)
    if shared_with and shared_with not in list(Role):
        raise _wrong("shared_with", f"is none of {', '.join(Role)}")
    return said, parts.path, parts.query, Role(shared_with) if shared_with else None


def checked_name(name: str) -> str:
    """A view's name with single spaces. Raises BadViewName."""
    said = " ".join(name.split())
    if not 0 < len(said) <= MOST_LETTERS or not said.isprintable():
        reason = f"write a name of up to {MOST_LETTERS} letters"
        raise _wrong("name", reason, BadViewName, MOST_LETTERS)
    return said


def _wrong(
    field: str, reason: str, kind: type[InvalidInput] = InvalidInput, count: int = 0
) -> InvalidInput:
    return kind(f"{field}: {reason}.", fields={field: reason}, params={"count": count})
