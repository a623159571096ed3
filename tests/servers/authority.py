"""A certificate authority for the tests' servers on 127.0.0.1."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class Authority:
    """`ca_file` is what a client must trust; `context` serves a certificate for 127.0.0.1 and localhost. `issuer` gives
    out more of them."""

    ca_file: Path
    certificate: trustme.LeafCert
    issuer: trustme.CA

    def write(self, certificate: Path, key: Path) -> None:
        certificate.write_bytes(b"".join(blob.bytes() for blob in self.certificate.cert_chain_pems))
        key.write_bytes(self.certificate.private_key_pem.bytes())

    def context(self) -> ssl.SSLContext:
        return context_of(self.certificate)


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's side of TLS with this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def new_authority(folder: Path, *names: str) -> Authority:
    """A new authority with a certificate for `names`."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    ca_file.chmod(0o644)
    return Authority(ca_file, authority.issue_cert(*(names or ("127.0.0.1", "localhost"))), authority)
