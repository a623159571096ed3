"""How quick understanding is: loading, one mail, many texts, memory. `python -m benchmarks.understanding [encoder|n-grams]`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import psutil

from assistant.model.reading import MailToRead, TextToRead
from assistant.understanding import load_reader
from assistant.understanding.history import read_seed
from assistant.understanding.pipeline import MODEL_FOLDER


def measure(mode: str) -> None:
    """Prints one line for each figure."""
    begun = time.perf_counter()
    reader = load_reader("on" if mode == "encoder" else "off")
    print(f"{mode}: loading {time.perf_counter() - begun:.2f} s")
    mail = MailToRead(
        "Re: 报价", "报价收到，请周五前把合同发来。", "zh-Hans", "inbound", datetime(2026, 3, 2, tzinfo=UTC), True
    )
    reader.read(mail)
    begun = time.perf_counter()
    for _ in range(100):
        reader.read(mail)
    print(f"{mode}: one new mail {(time.perf_counter() - begun) * 10:.2f} ms")
    examples = read_seed(MODEL_FOLDER).examples
    texts = [TextToRead(example.subject, example.text, example.language) for example in examples]
    begun = time.process_time()
    prepared = [item for start in range(0, len(texts), 100) for item in reader.prepare(texts[start : start + 100])]
    print(f"{mode}: preparing {len(texts) / (time.process_time() - begun):.0f} texts a second of processor time")
    begun = time.process_time()
    for example, item in zip(examples, prepared, strict=True):
        reader.read(
            MailToRead(example.subject, example.text, example.language, example.direction, example.sent_at, True), item
        )
    print(f"{mode}: reading {len(texts) / (time.process_time() - begun):.0f} prepared mails a second of processor time")
    print(f"{mode}: {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ["encoder"]:
        measure(chosen)
