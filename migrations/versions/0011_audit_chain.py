"""The audit log becomes a chain that only grows, and the application gets a role of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ARGUMENTS = (
    "audit_id bigint, at timestamptz, actor text, role text, address text, request_id text,"
    " action text, object text, before jsonb, after jsonb, status smallint, salt uuid"
)
NAMES = "audit_id at actor role address request_id action object before after status salt".split()

# epoch seconds, because the text of a time depends on the reader's time zone
DIGEST = f"""
CREATE FUNCTION support.audit_digest({ARGUMENTS}) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        audit_id, extract(epoch FROM at)::text, actor, role, address, request_id, action, object,
        before, after, status, salt)::text, 'UTF8'))
$$
"""

# what stays readable of an erased row is sealed apart from what was erased
LINK = """
CREATE FUNCTION support.audit_link(
    hash_before bytea, digest bytea, audit_id bigint, at timestamptz, action text, status smallint
) RETURNS bytea LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT sha256(hash_before || digest || convert_to(
        jsonb_build_array(audit_id, extract(epoch FROM at)::text, action, status)::text, 'UTF8'))
$$
"""

# the head's lock makes writers queue, so that numbers have no gap and each row knows the one before
SEAL = f"""
CREATE FUNCTION support.audit_seal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE head record;
BEGIN
    SELECT audit_id, hash INTO STRICT head FROM support.audit_head FOR UPDATE;
    NEW.audit_id := head.audit_id + 1;
    NEW.salt := gen_random_uuid();
    NEW.redacted := false;
    NEW.digest := support.audit_digest({", ".join(f"NEW.{name}" for name in NAMES)});
    NEW.hash := support.audit_link(
        head.hash, NEW.digest, NEW.audit_id, NEW.at, NEW.action, NEW.status);
    UPDATE support.audit_head SET audit_id = NEW.audit_id, hash = NEW.hash;
    RETURN NEW;
END $$
"""

# erasing a person is the one change: it leaves what happened, the digest and the hash as they were
KEEP = """
CREATE FUNCTION support.audit_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.redacted AND NEW.salt IS NULL AND
            (NEW.audit_id, NEW.at, NEW.action, NEW.status, NEW.digest, NEW.hash)
            IS NOT DISTINCT FROM
            (OLD.audit_id, OLD.at, OLD.action, OLD.status, OLD.digest, OLD.hash)
        THEN RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""

# who waited for another maker finds the table by its error: the catalogue is not read anew
MAKE_MONTH = """
CREATE FUNCTION support.make_audit_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    start date := date_trunc('month', month);
    part text := 'audit_log_' || to_char(start, 'YYYY_MM');
BEGIN
    IF to_regclass('support.' || part) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('support.make_audit_month'));
    EXECUTE format('CREATE TABLE support.%I (LIKE support.audit_log INCLUDING ALL)', part);
    EXECUTE format(
        'ALTER TABLE support.audit_log ATTACH PARTITION support.%I'
        ' FOR VALUES FROM (%L) TO (%L)', part, start, start + interval '1 month');
EXCEPTION WHEN duplicate_table THEN NULL;
END $$
"""

SEAL_EARLIER_ROWS = f"""
DO $$
DECLARE
    one record;
    number bigint := 0;
    last bytea := '';
    made bytea;
BEGIN
    FOR one IN SELECT * FROM support.audit_log ORDER BY audit_id LOOP
        number := number + 1;
        one.salt := gen_random_uuid();
        made := support.audit_digest(
            number, {", ".join(f"one.{name}" for name in NAMES[1:])});
        last := support.audit_link(last, made, number, one.at, one.action, one.status);
        UPDATE support.audit_log SET audit_id = number, salt = one.salt, digest = made, hash = last
            WHERE audit_id = one.audit_id AND at = one.at;
    END LOOP;
    INSERT INTO support.audit_head (audit_id, hash, anchor_id, anchor_hash)
        VALUES (number, last, 0, '');
END $$
"""

# roles belong to the whole cluster: another database may have made it, or only a superuser may
MAKE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nova_app') THEN
        CREATE ROLE nova_app NOLOGIN;
    END IF;
    IF NOT pg_has_role('nova_app', 'MEMBER') THEN
        EXECUTE format('GRANT nova_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role nova_app is missing and this login may not make it' USING HINT
            = format('a superuser can: CREATE ROLE nova_app; GRANT nova_app TO %I', current_user);
END $$
"""

SCHEMAS = "staging, core, analytics, support"
GRANTS = f"""
GRANT USAGE ON SCHEMA {SCHEMAS} TO nova_app;
GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMAS} TO nova_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMAS} GRANT SELECT ON TABLES TO nova_app;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO nova_app;
GRANT SELECT ON alembic_version TO nova_app;
GRANT UPDATE ON analytics.alert TO nova_app;
GRANT INSERT, UPDATE ON analytics.revision TO nova_app;
"""
APPEND_ONLY = """
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT relid FROM pg_partition_tree('support.audit_log') LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM nova_app', part);
    END LOOP;
END $$;
GRANT INSERT ON support.audit_log TO nova_app;
REVOKE INSERT, UPDATE, DELETE ON support.audit_head FROM nova_app;
"""
REVOKES = f"""
REVOKE ALL ON alembic_version FROM nova_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMAS} REVOKE SELECT ON TABLES FROM nova_app;
REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMAS} FROM nova_app;
REVOKE ALL ON SCHEMA {SCHEMAS} FROM nova_app;
"""


def upgrade() -> None:
    for column in (
        sa.Column("salt", postgresql.UUID(as_uuid=True)),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("hash", sa.LargeBinary()),
        sa.Column("redacted", sa.Boolean(), server_default="false", nullable=False),
    ):
        op.add_column("audit_log", column, schema="support")
    op.alter_column(
        "audit_log", "at", server_default=sa.text("clock_timestamp()"), schema="support"
    )
    op.execute("ALTER TABLE support.audit_log ALTER COLUMN audit_id DROP IDENTITY")
    op.create_table(
        "audit_head",
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("anchor_id", sa.BigInteger(), nullable=False),
        sa.Column("anchor_hash", sa.LargeBinary(), nullable=False),
        schema="support",
    )
    for statement in (DIGEST, LINK, SEAL, KEEP, MAKE_MONTH, SEAL_EARLIER_ROWS):
        op.execute(statement)
    op.alter_column("audit_log", "digest", nullable=False, schema="support")
    op.alter_column("audit_log", "hash", nullable=False, schema="support")
    op.execute(
        "CREATE TRIGGER audit_seal BEFORE INSERT ON support.audit_log"
        " FOR EACH ROW EXECUTE FUNCTION support.audit_seal()"
    )
    op.execute(
        "CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON support.audit_log"
        " FOR EACH ROW EXECUTE FUNCTION support.audit_keep()"
    )
    op.execute(
        "CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON support.audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION support.audit_keep()"
    )
    for statement in (MAKE_ROLE, GRANTS, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    op.execute(REVOKES)
    for trigger in ("audit_keep_all", "audit_keep", "audit_seal"):
        op.execute(f"DROP TRIGGER {trigger} ON support.audit_log")
    types = ", ".join(argument.split()[1] for argument in ARGUMENTS.split(", "))
    for function in ("audit_keep()", "audit_seal()", "make_audit_month(date)"):
        op.execute(f"DROP FUNCTION support.{function}")
    op.execute(f"DROP FUNCTION support.audit_digest({types})")
    op.execute("DROP FUNCTION support.audit_link")
    op.drop_table("audit_head", schema="support")
    op.execute("ALTER TABLE support.audit_log ALTER COLUMN at SET DEFAULT now()")
    for name in ("redacted", "hash", "digest", "salt"):
        op.drop_column("audit_log", name, schema="support")
    op.execute(
        "ALTER TABLE support.audit_log ALTER COLUMN audit_id ADD GENERATED BY DEFAULT AS IDENTITY"
    )
    op.execute(
        "SELECT setval(pg_get_serial_sequence('support.audit_log', 'audit_id'),"
        " greatest(1, (SELECT max(audit_id) FROM support.audit_log)))"
    )
