"""the audit log is append-only: the database itself refuses to change or delete what was written"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_REFUSED = "the audit log is append-only"
_REFUSAL = f"SELECT RAISE(ABORT, '{_REFUSED}')"
# Erasing somebody on request has to reach the log too. It says so first, in this row, and afterwards in the log itself.
_ERASING = "EXISTS (SELECT 1 FROM setting WHERE name = 'audit-erasure')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_refuses_{what.lower()} BEFORE {what} ON audit WHEN NOT {_ERASING} "
                f"BEGIN {_REFUSAL}; END"
            )
        # INSERT OR REPLACE deletes without asking the trigger above.
        op.execute(
            "CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit "
            "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_ERASING} THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuses()"
    )
