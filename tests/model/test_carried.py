"""What goes from one process to another comes out as it went in, and is made from its fields."""

from __future__ import annotations

import pickle
import pickletools
from dataclasses import dataclass, field

import pytest

from assistant.intake import reading_process  # noqa: F401  # it says what is carried
from assistant.intake.parsing import KeptMail, facts_of
from assistant.model.carried import carry_by_fields
from assistant.model.people import Directory
from parsers import parse
from tests.offices import MONDAY, mail


@dataclass(frozen=True, slots=True)
class One:
    only: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    given: int
    made: int = field(init=False, default=0)


def test_a_parsed_mail_comes_out_as_it_went_in() -> None:
    raw = mail("请看附件，周三前给。\n\n-- \n陈静\n市场总监", subject="Re: 新茶上市")
    parsed = facts_of(KeptMail(1, raw, MONDAY, "INBOX"), parse(raw), Directory(("lanhai.example",), (), ()))
    carried = pickle.dumps(parsed)
    assert pickle.loads(carried) == parsed
    assert "BUILD" not in {operation.name for operation, _, _ in pickletools.genops(carried)}


def test_a_single_field_is_no_exception() -> None:
    carry_by_fields(One)
    assert pickle.loads(pickle.dumps(One((1, 2)))) == One((1, 2))


def test_what_is_not_made_from_its_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="Derived"):
        carry_by_fields(Derived)
