"""Everything that is held about one person (LGPD art. 18, GDPR art. 15)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, text

from domain.errors import NotFound

_HELD = {
    "account": "SELECT to_jsonb(u) - 'password_hash' FROM support.user AS u WHERE user_id = :id",
    "sessions": "SELECT to_jsonb(s) - 'session_hash' FROM support.session AS s WHERE user_id = :id",
    "tokens": "SELECT to_jsonb(t) - 'token_id' FROM support.token AS t WHERE user_id = :id",
    "password_resets": (
        "SELECT to_jsonb(r) - 'link_hash' FROM support.password_reset AS r WHERE user_id = :id"
    ),
    "decisions": (
        "SELECT to_jsonb(d) FROM support.decision AS d"
        " WHERE user_id = :id OR lower(actor) = ANY(:names) ORDER BY at"
    ),
    "overrides": (
        "SELECT to_jsonb(o) FROM support.override AS o WHERE user_id = :id"
        " OR lower(actor) = ANY(:names) OR lower(ended_by) = ANY(:names) ORDER BY override_id"
    ),
    "alerts": "SELECT to_jsonb(a) FROM analytics.alert AS a WHERE owner_id = :id ORDER BY id",
    "subjects": "SELECT to_jsonb(s) FROM support.subject AS s WHERE user_id = :id",
    "jobs": (
        "SELECT to_jsonb(j) FROM support.job AS j"
        " WHERE lower(actor) = ANY(:names) OR message ~* :mention ORDER BY job_id"
    ),
    "saved_views": "SELECT to_jsonb(v) FROM support.saved_view AS v WHERE user_id = :id",
    "start_view": "SELECT to_jsonb(s) FROM support.start_view AS s WHERE user_id = :id",
    "reports": (
        "SELECT to_jsonb(r) FROM support.report AS r"
        " WHERE user_id = :id OR lower(created_by) = ANY(:names)"
    ),
    "report_deliveries": (
        "SELECT to_jsonb(d) FROM support.report_delivery AS d JOIN support.report USING (report_id)"
        " WHERE user_id = :id ORDER BY delivery_id"
    ),
    "loads": (
        "SELECT jsonb_build_object('id', id, 'file', file, 'finished_at', finished_at)"
        " FROM staging.load WHERE lower(loaded_by) = ANY(:names) ORDER BY id"
    ),
    "published": (
        "SELECT to_jsonb(p) FROM analytics.published AS p WHERE lower(published_by) = ANY(:names)"
    ),
    "settings": (
        "SELECT to_jsonb(s) FROM support.setting AS s WHERE lower(changed_by) = ANY(:names)"
    ),
    "audit_log": (
        "SELECT to_jsonb(log) - '{salt,digest,hash}'::text[] FROM support.audit_log AS log"
        " WHERE lower(actor) = ANY(:names)"
        " OR concat_ws(' ', object, before::text, after::text) ~* :mention ORDER BY audit_id"
    ),
}


_CALLED = """
WITH changed AS (
    SELECT before FROM support.audit_log
    WHERE action IN ('user.set_email', 'user.unlink') AND before ->> 'user_id' = CAST(:id AS text)
), called AS (
    SELECT lower(email) AS name, false AS is_subject FROM support."user" WHERE user_id = :id
    UNION SELECT lower(before ->> 'email'), false FROM changed
    UNION SELECT lower(subject), true FROM support.subject WHERE user_id = :id
    UNION SELECT lower(before ->> 'subject'), true FROM changed
)
SELECT name, is_subject FROM called
WHERE name IS NOT NULL
    AND NOT EXISTS (SELECT FROM support."user" WHERE lower(email) = name AND user_id <> :id)
    AND NOT EXISTS (
        SELECT FROM support.subject WHERE is_subject AND lower(subject) = name AND user_id <> :id
    )
"""


def called(connection: Connection, user_id: int) -> dict[str, Any]:
    """What an account is or was called, as parameters: `names`, its addresses and its subjects at
    the sign-in service, in small letters, without what is another account's by now; and `mention`,
    a pattern for Postgres that finds one of them in a text."""
    found = connection.execute(text(_CALLED), {"id": user_id}).all()
    emails, subjects = (
        [one.name for one in found if one.is_subject == is_subject] for is_subject in (False, True)
    )
    return {"names": emails + subjects, "mention": _mention(emails, subjects)}


def _mention(emails: list[str], subjects: list[str]) -> str:
    """These addresses in a text or in a page's address, but none that only ends or begins alike;
    these subjects, which may be any word, only where the audit log names a subject."""
    spelt = "|".join(re.escape(one) for email in emails for one in (email, quote(email, safe="")))
    address = rf"(?:(?<![\w.+'-])|(?<=%[0-9a-f]{{2}}))(?:{spelt})(?![\w-]|\.\w)"
    if not subjects:
        return address
    spelt = "|".join(re.escape(json.dumps(one, ensure_ascii=False)[1:-1]) for one in subjects)
    return rf"""{address}|(?<="subject": "|no group of ')(?:{spelt})(?=["'])"""


def held(connection: Connection, email: str) -> dict[str, list[dict[str, Any]]]:
    """Rows by kind, as JSON values; hashes and secrets are left out. Raises NotFound."""
    sql = text("SELECT user_id, email FROM support.user WHERE lower(email) = lower(:email)")
    found = connection.execute(sql, {"email": email.strip()}).one_or_none()
    if found is None:
        raise NotFound(f"No user has the address {email!r}.")
    params = {"id": found.user_id, **called(connection, found.user_id)}
    return {
        kind: list(connection.execute(text(query), params).scalars())
        for kind, query in _HELD.items()
    }
