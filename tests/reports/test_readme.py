"""What the page beside the templates promises is there."""

from __future__ import annotations

import re
from dataclasses import fields

from assistant.rendering.context import ROOTS
from assistant.rendering.filters import FILTERS
from tests.reports.sample_files import TEMPLATES

PAGE = (TEMPLATES / "README.md").read_text(encoding="utf-8")


def test_every_name_for_clients_is_on_the_page_and_no_other() -> None:
    promised = {f"{root}.{field.name}" for root, holder in ROOTS.items() if holder for field in fields(holder)}
    table = PAGE.split("## 可以用的名字")[1].split("## 过滤器")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", table)) == promised


def test_every_filter_on_the_page_exists_and_none_is_missing() -> None:
    table = PAGE.split("## 过滤器")[1]
    shown = set(re.findall(r"\\\| (\w+)", table))
    assert shown <= FILTERS.keys()
    assert FILTERS.keys() - shown == {"form", "fill_strong"}, "these two serve html parts of mail to staff only"
