"""Mailboxes out of address fields, as RFC 5322 writes them and as people and programs do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.addresses import normalise_addr_spec, read_addresses, read_return_path
from parsers.limits import Defects

FIELDS: dict[str, list[tuple[str, str]]] = {
    "张三 <a@b.example>": [("张三", "a@b.example")],
    "a@b.example": [("", "a@b.example")],
    "A.b@B.EXAMPLE": [("", "A.b@b.example")],
    "Zhang, San <z@x.example>, b@c.example": [("Zhang, San", "z@x.example"), ("", "b@c.example")],
    '"a@b.example" <c@d.example>': [("a@b.example", "c@d.example")],
    "a@b.example <c@d.example>": [("a@b.example", "c@d.example")],
    'group: a@b.example, "C D" <c@d.example>;, e@f.example': [
        ("", "a@b.example"),
        ("C D", "c@d.example"),
        ("", "e@f.example"),
    ],
    "undisclosed-recipients:;": [],
    "<@r.example,@s.example:c@d.example>": [("", "c@d.example")],
    "张三 zhang@x.example": [("张三", "zhang@x.example")],
    "zhang@x.example (张三)": [("张三", "zhang@x.example")],
    "<zhang@x.example": [("", "zhang@x.example")],
    "zhang@x.example>": [("", "zhang@x.example")],
    "张三＜zhang@x.example＞": [("张三", "zhang@x.example")],
    "ｚｈａｎｇ＠ｘ．ｅｘａｍｐｌｅ": [("", "zhang@x.example")],
    '"张三, 李四" <a@b.example>; c@d.example': [("张三, 李四", "a@b.example"), ("", "c@d.example")],
    '"john doe"@x.example': [("", '"john doe"@x.example')],
    "John (the (nested) one) Doe <j@x.example>": [("John Doe", "j@x.example")],
    '"unbalanced <a@b.example>, c@d.example': [("unbalanced", "a@b.example"), ("", "c@d.example")],
    "'a@b.example' <a@b.example>": [("a@b.example", "a@b.example")],
    "<mailto:a@b.example>": [("", "a@b.example")],
    "[mailto:a@b.example]": [("", "a@b.example")],
    "a @ b.example": [("", "a@b.example")],
    "Name <<a@b.example>>": [("Name", "a@b.example")],
    "root": [],
    '"张三", <a@b.example>': [("张三", "a@b.example")],
    '"Li \\"Lei\\" X" <l@x.example>': [('Li "Lei" X', "l@x.example")],
    "=?utf-8?Q?Li=2C_Lei?= <a@b.example>, x@y.example": [("Li, Lei", "a@b.example"), ("", "x@y.example")],
    "张三<a@b.example>李四<c@d.example>": [("张三", "a@b.example"), ("李四", "c@d.example")],
    "First Last <first.last @x.example>": [("First Last", "first.last@x.example")],
    "a@[192.0.2.1]": [("", "a@[192.0.2.1]")],
    "": [],
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_gives_its_mailboxes(field: str) -> None:
    assert [(one.name, one.addr_spec) for one in read_addresses(field, Defects(), "to")] == FIELDS[field]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a@EXAMPLE.COM.", "a@example.com"),
        ("王@例子.example", "王@xn--fsqu00a.example"),
        ("a@xn--fsqu00a.example", "a@xn--fsqu00a.example"),
    ],
)
def test_domains_have_one_form(written: str, kept: str) -> None:
    assert normalise_addr_spec(written) == kept


@pytest.mark.parametrize(
    ("value", "path"), [("<>", ""), ("<a@B.example>", "a@b.example"), ("a@b.example", "a@b.example"), (" <> ", "")]
)
def test_the_null_return_path_is_the_empty_string(value: str, path: str) -> None:
    assert read_return_path(value) == path


NAMES = st.text(
    st.characters(categories=("L", "N", "Zs", "P"), exclude_characters='"\\=?'), min_size=1, max_size=30
).map(lambda text: " ".join(text.split()))


@given(
    st.lists(
        st.tuples(
            NAMES.filter(lambda name: bool(name) and name[0] != "'" and name.isprintable()),
            st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
        ),
        max_size=8,
    )
)
def test_quoted_names_come_back_whatever_they_hold(mailboxes: list[tuple[str, str]]) -> None:
    field = ", ".join(f'"{name}" <{addr_spec}>' for name, addr_spec in mailboxes)
    assert [(one.name, one.addr_spec) for one in read_addresses(field, Defects(), "to")] == mailboxes
