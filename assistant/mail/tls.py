"""Verified TLS, the same for every protocol of this room."""

from __future__ import annotations

import ssl
from pathlib import Path

from assistant.errors import AssistantError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and no name server was needed to say so."""
    return host.lower() in LOOPBACK_HOSTS or host.startswith("127.")


def verified_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A context that checks chain and host name against the system's authorities, or against `ca_file` alone."""
    if ca_file is None:
        context = ssl.create_default_context()
    else:
        if not Path(ca_file).is_file():
            raise AssistantError(f"The certificate file {ca_file} does not exist; set ca_file to a PEM file.")
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (ssl.SSLError, OSError) as error:
            raise AssistantError(
                f"The certificate file {ca_file} cannot be read ({error}); it must be a PEM file."
            ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
