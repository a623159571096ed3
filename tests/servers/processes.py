"""Finding, starting and ending server processes for tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("CC_ASSISTANT_REQUIRE_SERVERS") == "1"
UNPRIVILEGED_USER, UNPRIVILEGED_GROUP = "nobody", "nogroup"
START_SECONDS = 20.0


def missing(what: str) -> NoReturn:
    """Ends the test: skipped where servers are optional, failed where they are required."""
    if REQUIRED:
        pytest.fail(f"{what}, and CC_ASSISTANT_REQUIRE_SERVERS=1 says that it must be there", pytrace=False)
    pytest.skip(what)


def require(binary: str, *places: str) -> Path:
    """The path of a server's binary, also from where distributions put those that users do not call."""
    found = shutil.which(binary) or shutil.which(
        binary, path=os.pathsep.join((*places, "/usr/sbin", "/usr/local/sbin"))
    )
    if found is None:
        missing(f"needs {binary}")
    return Path(found)


def is_root() -> bool:
    return os.geteuid() == 0


def identity() -> tuple[str, str]:
    """User and group that servers run as: nobody when the tests run as root, else ourselves."""
    if is_root():
        return UNPRIVILEGED_USER, UNPRIVILEGED_GROUP
    import grp
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


def unprivileged(command: Sequence[str]) -> list[str]:
    """`command` as one that gives up root first; as it is when we are not root."""
    if not is_root():
        return list(command)
    user, group = identity()
    return [str(require("setpriv")), f"--reuid={user}", f"--regid={group}", "--clear-groups", *command]


def give(*paths: Path) -> None:
    """Lets the servers' user own `paths`."""
    if is_root():
        user, group = identity()
        for path in paths:
            shutil.chown(path, user, group)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A short-named folder (Unix sockets want at most 107 characters) that the servers' user owns."""
    folder = Path(tempfile.mkdtemp(prefix=f"cca-{name}-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        give(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Waits for a condition; fails with `what` and the time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False


@contextmanager
def running(
    command: Sequence[str], log: Path, ports: Sequence[int], name: str, patience_seconds: float = 3.0
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in its own process group, up when all `ports` listen, gone with all its children afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=log.parent
        )
    try:

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{name} ended at once ({process.returncode}):\n{log.read_text(errors='replace')[-3000:]}")
            return all(listens(port) for port in ports)

        wait_until(ready, f"{name} listens on {list(ports)}")
        yield process
    finally:
        end(process, patience_seconds)


def end(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """Ends a server that `running` started: its master politely, then what is left of its group."""
    if patience_seconds:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            process.terminate()
            process.wait(patience_seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
