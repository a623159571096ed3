"""A secret of this installation, which goes into what outsiders must not be able to guess: the Message-IDs of our mail.

It lives in the database, so that a restored one gives the same mail the same id.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy.orm import Session

from assistant.store.tables import Setting

_SETTING: Final = "installation-secret"


def installation_secret(session: Session) -> str:
    """The secret; made when it is first asked for."""
    row = session.get(Setting, _SETTING)
    if row is None:
        row = Setting(name=_SETTING, value={"secret": secrets.token_hex(32)})
        session.add(row)
        session.flush()
    return str(row.value["secret"])


def carry_secret(old: Session, fresh: Session) -> None:
    """The database that takes the place of `old` goes on with its secret, if it had one."""
    if (row := old.get(Setting, _SETTING)) is not None:
        fresh.merge(Setting(name=_SETTING, value=dict(row.value)))
