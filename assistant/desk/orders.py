"""Reads `停止 17`, `stop all`, `同意 17` in the newly written part of a colleague's reply. Pure, and slow to say yes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Verb = Literal["stop", "approve"]

_STOP: Final = r"停止发送|停止發送|停止寄送|停止|取消|否决|否決|不发|不發|不寄|veto|stop|no"
_APPROVE: Final = r"同意|批准|可以发|可以發|可以寄|approved?|ok(?:ay)?|yes"
_ALL: Final = r"全部|所有|都|all|everything"
_NUMBERS: Final = r"#?\d{1,9}(?:(?:\s*(?:[,，、;；和与與&]|and)\s*|\s+)#?\d{1,9})*"
_ORDER: Final = re.compile(
    rf"(?:(?:请|請|please)\s*)?"
    rf"(?:(?P<all_first>{_ALL})\s*)?(?:(?P<stop>{_STOP})|(?P<approve>{_APPROVE}))"
    rf"(?:\s*(?:(?P<all>{_ALL})|(?P<numbers>{_NUMBERS})))?"
    r"(?:\s*(?:please|thanks|thank you|谢谢|謝謝|吧|发送|發送))?",
    re.IGNORECASE,
)
_COURTESY: Final = re.compile(
    r"(?:hi|hello|dear|thanks|thank you|many thanks|best(?: regards)?|kind regards|regards|cheers|sent from my .{1,30}"
    r"|你好|您好|谢谢|謝謝|多谢|多謝|辛苦了?|发自我的.{1,30}|從我的.{1,30}傳送)(?:\s+[^\d]{1,20})?",
    re.IGNORECASE,
)
_EDGES: Final = " \t\u3000.。!！,，;；:：~～\"'“”「」()（）*>-"
_LONGEST_LINE: Final = 200
_MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to do. `numbers` are those written; none means the only mail there is, or with `everything` all."""

    verb: Verb
    numbers: tuple[int, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """What a reply says. `clear` when it says nothing beside orders and courtesies."""

    orders: tuple[Order, ...]
    clear: bool

    @property
    def obeyed(self) -> tuple[Order, ...]:
        """Stopping is safe and counts beside other words; a yes counts only when it stands alone."""
        if self.clear:
            return self.orders
        return tuple(order for order in self.orders if order.verb == "stop")


def read_orders(reply: str) -> Orders:
    """The orders in the new part of a reply, one a line. A line that says more than an order is none."""
    orders: list[Order] = []
    clear = True
    lines = [line.strip(_EDGES) for line in reply.splitlines()[:_MOST_LINES]]
    for line in filter(None, lines):
        order = _order(line)
        if order is not None:
            orders.append(order)
        elif len(line) > _LONGEST_LINE or not _COURTESY.fullmatch(line):
            # Under what somebody ordered stands who they are: a name is no second thought.
            clear = clear and bool(orders) and len(line) <= 40 and not re.search(r"不|别|別|not|wait|等|but|但", line)
    return Orders(tuple(orders), clear and bool(orders))


def _order(line: str) -> Order | None:
    if len(line) > _LONGEST_LINE:
        return None
    found = _ORDER.fullmatch(line)
    if found is None:
        return None
    numbers = tuple(dict.fromkeys(int(number) for number in re.findall(r"\d+", found["numbers"] or "")))
    everything = bool(found["all"] or found["all_first"])
    return Order("stop" if found["stop"] else "approve", numbers, everything)
