"""A line of a reply is an order, a courtesy, or something that is not obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.desk.orders import Order, Orders, read_orders


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("停止 17", Order("stop", (17,))),
        ("停止17", Order("stop", (17,))),
        ("“停止 17”", Order("stop", (17,))),
        ("stop 17", Order("stop", (17,))),
        ("Stop #17.", Order("stop", (17,))),
        ("Please stop 17, 18 and 19", Order("stop", (17, 18, 19))),
        ("停止 17、18和19", Order("stop", (17, 18, 19))),
        ("stop all", Order("stop", everything=True)),
        ("停止全部", Order("stop", everything=True)),
        ("全部停止", Order("stop", everything=True)),
        ("全部停止！", Order("stop", everything=True)),
        ("veto 3", Order("stop", (3,))),
        ("停止", Order("stop")),
        ("同意 17", Order("approve", (17,))),
        ("ok 17", Order("approve", (17,))),
        ("approve 17 18", Order("approve", (17, 18))),
        ("OK", Order("approve")),
        ("全部同意", Order("approve", everything=True)),
    ],
)
def test_an_order_is_read(reply: str, expected: Order) -> None:
    assert read_orders(reply) == Orders((expected,), clear=True)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "收到",
        "17",
        "ok, but let me look at 17 first",
        "停止 17 之前先问我",
        "为什么要发这封？",
        "do not stop 17",
        "不同意 17",
    ],
)
def test_anything_else_is_no_order(reply: str) -> None:
    assert read_orders(reply).obeyed == ()


def test_courtesies_and_a_name_do_not_disturb() -> None:
    assert read_orders("Hi,\n\napprove 17\n\nThanks\nLi Lei").obeyed == (Order("approve", (17,)),)
    assert read_orders("您好，\n同意 17\n谢谢！\n李雷").obeyed == (Order("approve", (17,)),)


def test_a_yes_beside_a_doubt_is_none_but_a_stop_stays_a_stop() -> None:
    assert read_orders("同意 17\n不过先等一下").obeyed == ()
    assert read_orders("我觉得时机不对，客户刚打过电话来。\n停止 17").obeyed == (Order("stop", (17,)),)


@given(st.text(max_size=400))
def test_nothing_breaks_it_and_a_yes_is_never_found_in_unclear_words(reply: str) -> None:
    read = read_orders(reply)
    assert read.clear or all(order.verb == "stop" for order in read.obeyed)
