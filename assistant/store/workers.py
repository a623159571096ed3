"""Who holds a claim: a worker names its process, so that the next one knows whether it still lives."""

from __future__ import annotations

import os
import socket
import uuid
from typing import Final

_PROCESS: Final = uuid.uuid4().hex[:8]
"""Tells this process from one that had its number before it."""


def new_worker() -> str:
    """The name of a worker of this process: host, process id, token of the process, number of the worker."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{_PROCESS}:{uuid.uuid4().hex[:6]}"


def has_died(worker: str) -> bool:
    """Whether the process of `worker` certainly lives no more; False for other hosts, whose leases have to run out."""
    pieces = worker.split(":")
    if len(pieces) != 4 or pieces[0] != socket.gethostname()[:40] or not pieces[1].isdigit():
        return False
    process = int(pieces[1])
    if process == os.getpid():
        return pieces[2] != _PROCESS
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
