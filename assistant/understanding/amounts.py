"""Sums of money in Chinese and English text: ¥, RMB, 万, 元, HK$, NT$, USD, GBP, EUR, k and m, ranges."""

from __future__ import annotations

import re
from typing import Final

from assistant.model.reading import Amount
from assistant.understanding.normal import normalise
from assistant.understanding.numbers import CHINESE, read_number

NO_CURRENCY: Final = "XXX"
"""ISO 4217 for a sum whose currency nobody named."""

_SIGNS: Final = {
    "hk$": "HKD", "hkd": "HKD", "港币": "HKD", "港元": "HKD", "港纸": "HKD",
    "nt$": "TWD", "ntd": "TWD", "twd": "TWD", "新台币": "TWD", "台币": "TWD",
    "us$": "USD", "usd": "USD", "美元": "USD", "美金": "USD", "$": "USD", "dollars": "USD", "dollar": "USD", "bucks": "USD",
    "s$": "SGD", "sgd": "SGD", "新币": "SGD", "a$": "AUD", "au$": "AUD", "aud": "AUD", "澳元": "AUD",
    "c$": "CAD", "ca$": "CAD", "cad": "CAD", "nz$": "NZD", "nzd": "NZD",
    "£": "GBP", "gbp": "GBP", "英镑": "GBP", "pounds": "GBP", "quid": "GBP",
    "€": "EUR", "eur": "EUR", "欧元": "EUR", "euros": "EUR", "euro": "EUR",
    "jpy": "JPY", "日元": "JPY", "日圆": "JPY", "inr": "INR", "rs.": "INR", "rs": "INR", "₹": "INR", "rupees": "INR",
    "chf": "CHF", "rm": "MYR", "myr": "MYR", "aed": "AED", "₩": "KRW", "krw": "KRW",
    "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "¥": "CNY", "￥": "CNY", "元": "CNY", "块钱": "CNY", "块": "CNY", "蚊": "HKD",
}  # fmt: skip
_FACTORS: Final = {
    "万": 1e4, "w": 1e4, "千": 1e3, "百万": 1e6, "千万": 1e7, "亿": 1e8, "k": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6,
    "grand": 1e3, "thousand": 1e3, "lakh": 1e5, "lakhs": 1e5, "l": 1e5, "crore": 1e7, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
# Words that stand before a sum and say that it is one, although no currency does.
_MONEY_WORD = re.compile(
    r"(?:预算|报价|总价|费用|价格|金额|合计|总计|尾款|定金|首款|预付款?|服务费|单价|成本|打款|付款|到账|手里|降到|压到|抹到|控制在|不超过|打包|budget|price|fee|quote|cost|total|deposit|balance|invoice)"
    r"[^\d。.!?！？\n]{0,12}$"
)
_NUMBER = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_FACTOR = (
    r"百万|千万|万|千(?!\w?克)|亿|million\b|thousand\b|billion\b|grand\b|lakhs?\b|crore\b|mn\b|bn\b|[kmw](?![a-z0-9])"
)
_SIGN = "|".join(
    re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True) if sign not in {"元", "块", "块钱", "蚊"}
)
_UNIT = (
    r"元人民币|港币|港元|港纸|新台币|台币|美元|美金|新币|澳元|英镑|欧元|日元|日圆|人民币|块钱|块(?!儿|面|屏|板)|元(?!旦|素|宵|老|月|气)|蚊|"
    r"(?:usd|gbp|eur|rmb|cny|hkd|ntd|twd|sgd|aud|cad|nzd|inr|chf|myr|aed|krw|jpy|dollars?|bucks|pounds|quid|euros?|rupees)\b|[£€]"
)
_SUM = re.compile(
    rf"(?P<sign>(?<![a-z])(?:{_SIGN})\s*)?"
    rf"(?P<first>{_NUMBER}|(?<![第星期周{CHINESE}])[{CHINESE}]+(?=万|千元|百元|元|块))\s*(?P<first_factor>{_FACTOR})?"
    rf"(?:\s*(?:-|~|～|至|到|to)\s*(?:(?:{_SIGN})\s*)?(?P<second>{_NUMBER})\s*(?P<second_factor>{_FACTOR})?)?"
    rf"\s*(?P<unit>{_UNIT})?"
)
_NOT_MONEY_AFTER = re.compile(
    r"\s*(?:%|人|份|个|件|罐|瓶|套|条|次|粉|曝光|播放|阅读|点击|字|张|场|家|户|步|公里|平|册|本|台|km\b|followers|views|impressions|people|visitors|users|words|units|px|copies|sqm|m²|ms\b)"
)  # fmt: skip


def find_amounts(text: str, home: str = "") -> tuple[Amount, ...]:
    """The sums named in `text`, in order; both ends of a range. A bare 万 counts where the words before it speak of money.

    `home` is the currency of a sum without one and of a bare `$`; without it yuan in Chinese text, else `NO_CURRENCY`.
    """
    plain = normalise(text)
    home = home or ("CNY" if re.search(r"[\u3400-\u9fff]", plain) else NO_CURRENCY)
    found: list[Amount] = []
    for match in _SUM.finditer(plain):
        if len(found) >= 40:
            break
        found.extend(_read(match, plain, text, home))
    return tuple(found)


def _read(match: re.Match[str], plain: str, text: str, home: str) -> list[Amount]:
    sign, unit = (match["sign"] or "").strip(), match["unit"] or ""
    first_factor, second_factor = match["first_factor"], match["second_factor"]
    if not sign and not unit and not _speaks_of_money(match, plain):
        return []
    currency = _currency(sign, unit, home)
    words = text[match.start() : match.end()].strip()
    amounts = []
    ends: tuple[tuple[float | None, str | None], ...]
    first, second = read_number(match["first"]), read_number(match["second"] or "")
    if second is not None and (second_factor or first_factor or sign or unit):
        # "80-100万": the factor behind the range holds for both ends.
        shared = first_factor or second_factor
        ends = ((first, shared), (second, second_factor or first_factor))
    else:
        ends = ((first, first_factor),)
    for value, factor in ends:
        if value is not None and value > 0:
            amounts.append(Amount(round(value * _FACTORS.get(factor or "", 1.0), 2), currency, words))
    return amounts


def _speaks_of_money(match: re.Match[str], plain: str) -> bool:
    if _NOT_MONEY_AFTER.match(plain, match.end()):
        return False
    factor = match["first_factor"] or match["second_factor"]
    if factor is None:
        value = read_number(match["first"]) or 0.0
        if value < 1000 or re.match(r"\s*[年月日号/.:-]\s*\d?", plain[match.end() : match.end() + 3]):
            return False
    return _MONEY_WORD.search(plain, max(0, match.start() - 30), match.start()) is not None


def _currency(sign: str, unit: str, home: str) -> str:
    for words in (unit, sign):
        if words.startswith("元人民币"):
            return "CNY"
        if words == "$" and home not in {"CNY", NO_CURRENCY}:
            return home
        if words in _SIGNS and words not in {"元", "块", "块钱"}:
            return _SIGNS[words]
    if sign in _SIGNS:
        return _SIGNS[sign]
    return home
