"""A real Postfix on a high port with its own queue, delivering by LMTP to Dovecot or throwing away.

Postfix's master refuses to run as anybody but root (its daemons give root up themselves), so this needs root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from tests.servers.authority import Authority
from tests.servers.processes import free_port, is_root, missing, require, running, scratch

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = /tmp
myhostname = postfix.agency.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
smtputf8_enable = yes
default_transport = {transport}
relay_transport = {transport}
local_recipient_maps =
local_transport = {transport}
"""

MASTER = """
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A running server that takes mail from loopback without login."""

    folder: Path
    port: int
    ca_file: Path

    def log(self) -> str:
        path = self.folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def postfix_server(authority: Authority, lmtp_port: int | None) -> Iterator[Postfix]:
    """Starts Postfix; mail for any domain goes to `lmtp_port`, or nowhere when that is None."""
    binary = require("postfix")
    if not is_root():
        missing("needs root to run postfix")
    daemons = next(
        (path for path in map(Path, ("/usr/lib/postfix/sbin", "/usr/libexec/postfix")) if path.is_dir()), None
    )
    if daemons is None:
        missing("needs postfix's daemons")
    with scratch("postfix") as folder:
        os.chown(folder, 0, 0)
        server = Postfix(folder, free_port(), authority.ca_file)
        configuration = folder / "etc"
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        authority.write(folder / "certificate.pem", folder / "key.pem")
        import shutil

        shutil.chown(folder / "data", "postfix")
        transport = f"lmtp:inet:127.0.0.1:{lmtp_port}" if lmtp_port else "discard:"
        (configuration / "main.cf").write_text(MAIN.format(folder=folder, transport=transport))
        (configuration / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{server.port}"))
        made = run(
            [str(binary), "-c", str(configuration), "check"], capture_output=True, text=True, check=False, cwd=folder
        )
        if made.returncode:
            missing(f"needs a postfix that can run here ({made.stderr.strip()[-300:]})")
        log = folder / "output.log"
        log.touch()
        with running([str(daemons / "master"), "-c", str(configuration), "-d"], log, (server.port,), "postfix"):
            yield server
