"""Messages a second of `parsers.parse` against the standard library reading the same mail, in one run on one core.

The standard library (`email.policy.default`) reads eight header fields and the body; `parse` does everything it promises,
cutting the reply from its quotation included. Run as `python -m benchmarks.parse [FOLDER OR FILE.eml …]`.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from benchmarks.samples import generate
from parsers import parse

SHAPES = ("text/plain", "text/html", "multipart/alternative", "multipart/related", "multipart/mixed")
FIELDS = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References")


def read_with_standard_library(raw: bytes) -> int:
    """Eight decoded fields and the body's text by `email.policy.default`; returns how many characters were read."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    read = sum(len(str(message[name] or "")) for name in FIELDS)
    body = message.get_body(("plain", "html"))
    return read + (len(body.get_content()) if body is not None else 0)


def read_with_parsers(raw: bytes) -> int:
    """Everything by `parse`."""
    return len(parse(raw).text)


def rate(read: Callable[[bytes], int], mails: list[bytes], seconds: float) -> tuple[float, int]:
    """Messages a second of processor time over at least `seconds` of it, and how many of the mails raised."""
    raised = done = 0
    started = time.process_time()
    while (elapsed := time.process_time() - started) < seconds or done == 0:
        for raw in mails:
            try:
                read(raw)
            except Exception:  # noqa: BLE001 - that a reader raises is one of the findings
                raised += 1
        done += len(mails)
    return done / elapsed, raised * len(mails) // done


def measure(name: str, mails: list[bytes], seconds: float) -> float:
    """Print one line of the table; return the ratio. Both readers take turns, so that a busy machine slows both."""
    rounds = [
        (rate(read_with_standard_library, mails, seconds / 3), rate(read_with_parsers, mails, seconds / 3))
        for _ in range(3)
    ]
    theirs = max(one[0][0] for one in rounds)
    ours = max(one[1][0] for one in rounds)
    raised = rounds[0][0][1], rounds[0][1][1]
    size = sum(map(len, mails)) / len(mails) / 1024
    print(
        f"{name:32} {len(mails):6} {size:8.1f} {theirs:10.0f} {ours:10.0f} {ours / theirs:7.2f}   {raised[0]} / {raised[1]}"
    )
    return ours / theirs


def main() -> None:
    """Measure generated mail, the example mails of the tests, and what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="folders of .eml files, or .eml files")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each reader and set")
    arguments = parser.parse_args()
    print(f"{'mail':32} {'mails':>6} {'kB each':>8} {'stdlib/s':>10} {'parse/s':>10} {'ratio':>7}   raised")
    generated = generate(300)
    for shape in SHAPES:
        mails = [raw for raw in generated if shape.encode() in raw[: raw.find(b"\r\n\r\n")]]
        measure(f"generated {shape}", mails, arguments.seconds)
    measure("generated, under 16 kB", [raw for raw in generated if len(raw) < 16_384], arguments.seconds)
    measure("generated, all", generated, arguments.seconds)
    everything = list(generated)
    examples = Path(__file__).parent.parent / "tests" / "parsers"
    for folder in sorted(path for path in (examples / "damaged", examples / "formats") if path.is_dir()):
        mails = [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]
        if mails:
            measure(f"tests/parsers/{folder.name}", mails, arguments.seconds)
            everything += mails
    measure("all together", everything, arguments.seconds)
    for path in arguments.paths:
        files = sorted(path.rglob("*.eml")) if path.is_dir() else [path]
        if files:
            measure(path.name[:24], [file.read_bytes() for file in files], arguments.seconds)


if __name__ == "__main__":
    main()
