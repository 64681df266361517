"""Schema `support`: people, their sessions and tokens, decisions, views, settings, audit."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    FetchedValue,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

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
    CheckConstraint("kind IN ('alert', 'recommendation', 'override')", name="kind"),
    schema="support",
)

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
    CheckConstraint("kind IN ('dry_run', 'load', 'publish')", name="kind"),
    CheckConstraint("state IN ('queued', 'running', 'done', 'refused', 'failed')", name="state"),
    Index(
        "uq_job_one_a_person", "actor", unique=True, postgresql_where=text("finished_at IS NULL")
    ),
    schema="support",
)
"""What was asked for on the pages and is done by the command line; one at a time a person."""
