"""Schema `support`: people, their sessions and tokens, decisions, views, settings, audit."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    FetchedValue,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from domain.overrides import REASONS
from warehouse.tables.base import identity, metadata, moment

user = Table(
    "user",
    metadata,
    identity("user_id"),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("must_change_password", Boolean, nullable=False, server_default="false"),
    Column("ufs", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("contracts", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("language", Text),
    Column("token_version", Integer, nullable=False, server_default="0"),
    moment("created_at", default_now=True),
    moment("last_login_at"),
    CheckConstraint("role IN ('ADMIN', 'ANALYST', 'VIEWER')", name="role"),
    Index("uq_user_email", func.lower(text("email")), unique=True),
    schema="support",
)

session = Table(
    "session",
    metadata,
    Column("session_hash", Text, primary_key=True),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    moment("created_at", default_now=True),
    moment("seen_at", default_now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("address", Text),
    Column("agent", Text),
    Column("token_version", Integer, nullable=False),
    moment("ended_at"),
    schema="support",
)

subject = Table(
    "subject",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False),
    moment("created_at", default_now=True),
    UniqueConstraint("user_id", "issuer"),
    schema="support",
)

password_reset = Table(
    "password_reset",
    metadata,
    Column("link_hash", Text, primary_key=True),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    moment("created_at", default_now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    schema="support",
)

token = Table(
    "token",
    metadata,
    Column("token_id", UUID(as_uuid=True), primary_key=True, server_default=func.gen_random_uuid()),
    Column("family", UUID(as_uuid=True), nullable=False, index=True),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    moment("issued_at", default_now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    moment("used_at"),
    moment("revoked_at"),
    schema="support",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("audit_id", BigInteger, FetchedValue(), nullable=False, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False),
    Column("role", Text),
    Column("address", Text),
    Column("request_id", Text),
    Column("action", Text, nullable=False),
    Column("object", Text),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("status", SmallInteger),
    Column("salt", UUID(as_uuid=True)),
    Column("digest", LargeBinary, FetchedValue(), nullable=False),
    Column("hash", LargeBinary, FetchedValue(), nullable=False),
    Column("redacted", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("audit_id", "at"),
    Index("ix_audit_log_at", "at"),
    Index("ix_audit_log_actor", "actor", "at"),
    schema="support",
    postgresql_partition_by="RANGE (at)",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("audit_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("anchor_id", BigInteger, nullable=False),
    Column("anchor_hash", LargeBinary, nullable=False),
    schema="support",
)

decision = Table(
    "decision",
    metadata,
    identity("decision_id", big=True),
    moment("at", default_now=True),
    Column("user_id", ForeignKey(user.c.user_id), index=True),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    moment("until"),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    moment("raised_at"),
    CheckConstraint("kind IN ('alert', 'recommendation', 'override')", name="kind"),
    Index(
        "ix_decision_advised",
        text("(facts ->> 'sku')"),
        text("(facts ->> 'site')"),
        postgresql_where=text("kind = 'recommendation'"),
    ),
    Index("ix_decision_until", "until", postgresql_where=text("until IS NOT NULL")),
    schema="support",
)
"""`raised_at` is that of the alert or recommendation: one with the same fingerprint that comes up
again later is another."""

saved_view = Table(
    "saved_view",
    metadata,
    identity("view_id"),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("shared_with", Text),
    Column("is_default", Boolean, nullable=False, server_default="false"),
    moment("created_at", default_now=True),
    UniqueConstraint("user_id", "page", "name"),
    schema="support",
)

start_view = Table(
    "start_view",
    metadata,
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), primary_key=True),
    Column(
        "view_id",
        ForeignKey(saved_view.c.view_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    schema="support",
)

report = Table(
    "report",
    metadata,
    identity("report_id"),
    Column("user_id", ForeignKey(user.c.user_id, ondelete="CASCADE"), nullable=False, index=True),
    Column("rhythm", Text, nullable=False),
    Column("day", Integer, nullable=False, server_default="0"),
    Column("hour", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("filters", JSONB, nullable=False, server_default=text("'{}'")),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("created_by", Text, nullable=False),
    moment("created_at", default_now=True),
    Column("next_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("rhythm IN ('daily', 'weekdays', 'weekly', 'monthly')", name="rhythm"),
    CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
    CheckConstraint("language IN ('pt_BR', 'en')", name="language"),
    schema="support",
)

report_delivery = Table(
    "report_delivery",
    metadata,
    identity("delivery_id", big=True),
    Column("report_id", ForeignKey(report.c.report_id, ondelete="CASCADE"), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_try_at", DateTime(timezone=True), nullable=False),
    moment("sent_at"),
    Column("run_id", Integer),
    Column("message", Text),
    UniqueConstraint("report_id", "due_at"),
    CheckConstraint("state IN ('queued', 'sent', 'refused', 'failed', 'skipped')", name="state"),
    schema="support",
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    moment("changed_at", default_now=True),
    schema="support",
)

job = Table(
    "job",
    metadata,
    identity("job_id"),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("object", Text, nullable=False),
    Column("upload", Text),
    Column("file_kind", Text),
    Column("run_id", Integer),
    Column("actor", Text, nullable=False),
    Column("role", Text),
    Column("address", Text),
    Column("request_id", Text),
    Column("phase", Text),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("report", JSONB),
    Column("message", Text),
    moment("created_at", default_now=True),
    moment("started_at"),
    moment("finished_at"),
    moment("cancelled_at"),
    CheckConstraint("kind IN ('dry_run', 'load', 'publish', 'derive')", name="kind"),
    CheckConstraint(
        "state IN ('queued', 'running', 'done', 'refused', 'failed', 'cancelled')", name="state"
    ),
    Index(
        "uq_job_one_a_person",
        "actor",
        unique=True,
        postgresql_where=text("finished_at IS NULL AND kind <> 'derive'"),
    ),
    schema="support",
)
"""What was asked for on the pages and is done by the command line; one file or run at a time a
person. `cancelled_at` is when somebody asked to leave off."""

override = Table(
    "override",
    metadata,
    identity("override_id"),
    moment("created_at", default_now=True),
    Column("user_id", ForeignKey(user.c.user_id), index=True),
    Column("actor", Text, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("frequency", String(1), nullable=False),
    *(Column(name, Text) for name in ("sku", "site", "family", "uf")),
    Column("change", Double),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("expires_on", Date, nullable=False),
    moment("ended_at"),
    Column("ended_by", Text),
    Column("ended_as_of", Date),
    Column("superseded_by", Integer),
    CheckConstraint(f"reason IN {REASONS}", name="reason"),
    CheckConstraint("change IS NULL OR change BETWEEN -1 AND 5", name="change"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    schema="support",
)
"""What somebody put in the forecast's place: quantities (`change` None) or a lift by `change`, a
fraction, of what `sku`, `site`, `family` and `uf` narrow it to. `as_of` and `ended_as_of` are the
last day that the data spoke of then. Only its end is ever written into a row."""

override_point = Table(
    "override_point",
    metadata,
    Column("override_id", ForeignKey(override.c.override_id), primary_key=True),
    Column("item_id", Integer, primary_key=True),
    Column("site_id", Integer, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("mean", Double, nullable=False),
    *(Column(f"model_{name}", Double, nullable=False) for name in ("mean", "p10", "p50", "p90")),
    Column("naive_mean", Double),
    Column("superseded_by", Integer),
    Index("ix_override_point_series", "item_id", "site_id", "date"),
    schema="support",
)
"""The periods of an override, in units of issue: what it says, and what the ensemble and seasonal
naive said when it was saved."""
