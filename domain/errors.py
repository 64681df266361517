"""What can go wrong, in the field's words. HTTP statuses and exit codes are chosen further up."""

from __future__ import annotations

from collections.abc import Mapping


class NovaError(Exception):
    """Base of every error that is the caller's to mend. `str(error)` is the message to show;
    `params` are the values of the text that pages show for its code."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        fields: dict[str, str] | None = None,
        params: Mapping[str, float | str | None] | None = None,
    ) -> None:
        super().__init__(message)
        self.fields, self.params = fields or {}, params or {}


class InvalidInput(NovaError):
    """A value that the caller gave is not acceptable; `fields` names each one."""

    code = "invalid_input"


def not_acceptable(fields: dict[str, str]) -> InvalidInput:
    """The error that names each field with its reason."""
    listed = "; ".join(f"{name}: {reason}" for name, reason in fields.items())
    return InvalidInput(f"Not acceptable: {listed}.", fields=fields)


class InvalidEmail(InvalidInput):
    """No e-mail address looks like this."""

    code = "invalid_email"


class EmailTaken(InvalidInput):
    """Another account has this address."""

    code = "email_taken"


class LastAdministrator(InvalidInput):
    """Nobody could manage users any more."""

    code = "last_administrator"


class OverrideEnded(InvalidInput):
    """An override that was to be ended has ended already."""

    code = "override_ended"


class ReasonRequired(InvalidInput):
    """A rejection without its reason."""

    code = "reason_required"


class NothingSelected(InvalidInput):
    """Something was to be done with what is ticked, and nothing is."""

    code = "nothing_selected"


class StepNotAllowed(InvalidInput):
    """The status that something has does not allow another one."""

    code = "step_not_allowed"


class StepsNotAllowed(StepNotAllowed):
    """The status that `count` of `all` things have does not allow another one."""

    code = "steps_not_allowed"


class QuantityChanged(InvalidInput):
    """The quantity that is decided about is no longer the one that was seen; it is `now`."""

    code = "quantity_changed"


class QuantitiesChanged(QuantityChanged):
    """Those of `count` of `all` things that are decided about are others than were seen."""

    code = "quantities_changed"


class OwnerCannotSee(InvalidInput):
    """What was to be given to somebody lies, `count` of them, outside of the person's scope."""

    code = "owner_cannot_see"


class TooManyViews(InvalidInput):
    """Somebody has `count` saved views already."""

    code = "too_many_views"


class ViewAddressTooLong(InvalidInput):
    """A page's address has more than `count` letters."""

    code = "view_address_too_long"


class ViewNameTaken(InvalidInput):
    """Another view of the page has this name."""

    code = "view_name_taken"


class BadViewName(InvalidInput):
    """No view is called so: nothing, more than `count` letters, or what cannot be read."""

    code = "bad_view_name"


class NotForReport(InvalidInput):
    """The account may not have a board pack."""

    code = "not_for_report"


class BadReport(InvalidInput):
    """A form asks for no board pack by e-mail that there can be."""

    code = "bad_report"


class WeakPassword(InvalidInput):
    """The password is too short, too long, too common or the account's own name; `reason` is one
    of `short`, `long`, `unreadable`, `common`, `own`."""

    code = "weak_password"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"password {message}.", fields={"password": message})
        self.reason = reason


class NotFound(NovaError):
    """The thing asked for does not exist (or is outside the caller's scope)."""

    code = "not_found"


class UnknownMaterial(NotFound):
    """No item has this SKU."""

    code = "unknown_material"


class NothingPublished(NovaError):
    """No run has been published yet, so there is nothing to show."""

    code = "nothing_published"


class NotAuthenticated(NovaError):
    """Nobody is signed in, or the token is not valid."""

    code = "not_authenticated"


class NotAllowed(NovaError):
    """The signed-in user lacks the permission."""

    code = "not_allowed"


class PasswordChangeRequired(NotAllowed):
    """The account may do nothing but choose a new password."""

    code = "password_change_required"


class TooManyAttempts(NovaError):
    """A limit on attempts was reached; `retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadFile(NovaError):
    """An ERP file cannot be loaded: says file and, where known, line, column and value."""

    code = "bad_file"

    def __init__(
        self,
        reason: str,
        *,
        file: str,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        place = [file]
        if line is not None:
            place.append(f"line {line}")
        if column is not None:
            place.append(f"column {column!r}")
        if value is not None:
            place.append(f"value {value!r}")
        super().__init__(f"{', '.join(place)}: {reason}")
        self.file, self.line, self.column, self.value, self.reason = (
            file,
            line,
            column,
            value,
            reason,
        )


class BadMapping(NovaError):
    """`mapping.toml` is wrong: says the key and what it should be."""

    code = "bad_mapping"


class BadBundle(NovaError):
    """A results bundle is damaged or foreign; nothing was published."""

    code = "bad_bundle"


class Unavailable(NovaError):
    """A part that is needed (the database) does not answer now; worth asking again after
    `retry_after` seconds."""

    code = "unavailable"
    retry_after = 2


class BeingUpdated(Unavailable):
    """What is asked for is being written by others, for longer than a request waits."""

    code = "being_updated"


class NoRoom(NovaError):
    """The server's disk is full or cannot be written to."""

    code = "no_room"


def stopped(code: int | None = None) -> str:
    """What is said of work whose process ended before it, with the exit code where it is known."""
    told = "" if code is None else f" (exit code {code})"
    return f"stopped before its end{told}"
