"""A real Dovecot with implicit TLS, STARTTLS and plain ports, LMTP, OAuth2, and Maildirs that tests can touch."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from imapclient.imap_utf7 import encode as encode_utf7

from assistant.mail.settings import MailboxSettings, Secret
from tests.servers.authority import Authority
from tests.servers.processes import free_port, give, identity, require, running, scratch, unprivileged

FOLDERS = ("INBOX", "Sent", "Drafts")
PASSWORD = "correct horse 电池"

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login {oauth_mechanisms}
auth_failure_delay = 0 secs
mail_max_userip_connections = 200
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  mechanisms = plain login lookup none
  args = scheme=PLAIN username_format=%u {folder}/users/%u
}}
{oauth}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
"""

OAUTH_PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
"""

OAUTH_CONFIGURATION = """
tokeninfo_url = {tokeninfo}?token=
introspection_mode = auth
username_attribute = username
active_attribute = active
active_value = true
timeout_msecs = 5000
"""


@dataclass
class Mailbox:
    """One user of a Dovecot, with an empty INBOX, Sent and Drafts."""

    server: Dovecot
    user: str
    password: str
    home: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def settings(
        self,
        tls: Literal["implicit", "starttls", "none"] = "none",
        *,
        port: int | None = None,
        folders: tuple[str, ...] = ("INBOX",),
        password: str | None = None,
        timeout_seconds: float = 5.0,
        poll_seconds: float = 55.0,
        batch_messages: int = 200,
        batch_bytes: int = 16 * 1024 * 1024,
        max_message_bytes: int = 50 * 1024 * 1024,
        beginning_bytes: int = 256 * 1024,
    ) -> MailboxSettings:
        """What an agency would write in its config for this mailbox; `port` leads elsewhere, such as to a proxy."""
        return MailboxSettings(
            name="shared",
            host="127.0.0.1",
            port=port or (self.server.tls_port if tls == "implicit" else self.server.plain_port),
            tls=tls,
            user=self.user,
            secret=Secret(self.password if password is None else password),
            folders=folders,
            ca_file=None if tls == "none" else str(self.server.ca_file),
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            batch_messages=batch_messages,
            batch_bytes=batch_bytes,
            max_message_bytes=max_message_bytes,
            beginning_bytes=beginning_bytes,
        )

    def folder(self, name: str) -> Path:
        """Where a folder's Maildir lies (Maildir++: INBOX at the top, others as .Name in modified UTF-7)."""
        top = self.home / "Maildir"
        return top if name == "INBOX" else top / f".{encode_utf7(name).decode('ascii')}"

    def make_folder(self, name: str) -> None:
        maildir = self.folder(name)
        for path in (maildir, *(maildir / part for part in ("tmp", "new", "cur"))):
            path.mkdir(parents=True, exist_ok=True)
            give(path)

    def deliver(self, raw: bytes, folder: str = "INBOX", received_at: datetime | None = None) -> Path:
        """Puts a message into a folder as a delivery agent does: written whole in tmp, renamed into new. `received_at`
        is its INTERNALDATE; now unless it is given."""
        maildir = self.folder(folder)
        name = f"{int(time.time())}.M{time.monotonic_ns()}P{os.getpid()}Q{next(self._numbers)}.test"
        written = maildir / "tmp" / name
        written.write_bytes(raw)
        if received_at is not None:
            os.utime(written, (received_at.timestamp(), received_at.timestamp()))
        give(written)
        return written.rename(maildir / "new" / name)

    def files(self, folder: str = "INBOX") -> list[Path]:
        maildir = self.folder(folder)
        return sorted([*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()])

    def seen(self, folder: str = "INBOX") -> list[Path]:
        r"""The files of messages that are flagged \Seen."""
        return [path for path in self.files(folder) if "S" in path.name.partition(":2,")[2]]

    def renumber(self, folder: str = "INBOX") -> None:
        """Makes Dovecot forget its numbering: the next session finds another UIDVALIDITY."""
        for path in self.folder(folder).glob("dovecot*"):
            if path.is_file() and not path.name.startswith("dovecot-uidvalidity"):
                path.unlink()


@dataclass
class Dovecot:
    """A running server. `new_mailbox` makes users."""

    folder: Path
    plain_port: int
    tls_port: int
    lmtp_port: int
    ca_file: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_mailbox(self, user: str = "", password: str = PASSWORD) -> Mailbox:
        user = user or f"box{next(self._numbers)}@agency.example"
        # A file for each user: Dovecot looks at most once a second whether a passwd file has grown.
        (self.folder / "users" / user).write_text(f"{user}:{password}::::::\n", encoding="utf-8")
        home = self.folder / "home" / user
        home.mkdir()
        give(home)
        mailbox = Mailbox(self, user, password, home)
        for name in FOLDERS:
            mailbox.make_folder(name)
        return mailbox

    def log(self) -> str:
        return (self.folder / "dovecot.log").read_text(errors="replace")


@contextmanager
def dovecot_server(authority: Authority, tokeninfo: str = "") -> Iterator[Dovecot]:
    """Starts Dovecot; `tokeninfo` is a URL that says whose an access token is, which switches OAuth2 on."""
    binary = require("dovecot")
    with scratch("dovecot") as folder:
        user, group = identity()
        server = Dovecot(folder, free_port(), free_port(), free_port(), authority.ca_file)
        authority.write(folder / "certificate.pem", folder / "key.pem")
        for name in ("run", "home", "users"):
            (folder / name).mkdir()
        (folder / "oauth2.conf.ext").write_text(OAUTH_CONFIGURATION.format(tokeninfo=tokeninfo))
        configuration = folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                user=user,
                group=group,
                plain_port=server.plain_port,
                tls_port=server.tls_port,
                lmtp_port=server.lmtp_port,
                oauth=OAUTH_PASSDB.format(folder=folder) if tokeninfo else "",
                oauth_mechanisms="xoauth2 oauthbearer" if tokeninfo else "",
            )
        )
        output = folder / "output.log"
        output.touch()
        give(*folder.iterdir())
        command = unprivileged([str(binary), "-F", "-c", str(configuration)])
        # Its master takes seconds to say goodbye to its children, and nothing here outlives it.
        ports = (server.plain_port, server.tls_port, server.lmtp_port)
        with running(command, output, ports, "dovecot", patience_seconds=0):
            yield server
