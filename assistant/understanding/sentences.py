"""Cuts newly written text into sentences, knows a salutation and a closing, and takes the first words that say something."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUMMARY_LENGTH = 120

_MAX_SENTENCES = 200
# A full stop ends a sentence before white space only: "v2.1" and "lin@firm.example" stay whole. A line break always ends
# one: mail is written in lines, and lists have no full stops.
_END = re.compile(r"[。！？!?…]+[”’」』\"')）]*|\.+[\"')]*(?=\s|$)|[;；](?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|approx|inc|ltd|co|dept|fig|pp?)|\b[A-Z])\.$", re.IGNORECASE
)
_SALUTATION = re.compile(
    r"""^\W*(?:
        (?:hi|hello|hey|dear|good\ (?:morning|afternoon|evening)|morning|greetings|to\ whom\ it\ may\ concern)\b[^.?!\n]{0,40}[,，:：!！–—-]*
      | (?-i:[A-Z][\w.'-]*(?:[\ &]+(?:and\ )?[A-Z][\w.'-]*){0,3})[,，]
      | (?!好的|收到|另外|附件|见附|如下|其中|同时|首先|最后|可以|没事|对了|确认|明白|以下)[\u3400-\u9fff·、]{2,8}[,，:：]
      | (?:尊敬的|敬爱的|亲爱的|親愛的|各位|致)?[\w·&/、\ ]{0,16}?(?:总|總|经理|經理|老师|老師|主任|女士|先生|小姐|姐|哥|总监|總監|同学|各位|大家|您|你|团队|團隊)?(?:们|們)?
        [,，:：\ ]*(?:您好|你好|早上好|下午好|晚上好|早安|午安|早|好|hi|hello)?[,，:：!！。~～\ ]*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = re.compile(
    r"""^\W*(?:best|kind|warm|many)?\W*(?:regards|wishes|thanks|thank\ you|cheers|sincerely|yours\b.{0,20}|best|br|rgds|thx|祝好|此致|敬礼|敬禮|顺颂商祺|順頌商祺|商祺|谢谢|謝謝|多谢|多謝|感谢|感謝|以上|顺祝.{0,8}|順祝.{0,8})
        \W*(?:again|a\ lot|so\ much|您|大家|各位)?\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
_MEANING = re.compile(r"\w", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of the text, `text[start:end]` without white space at its ends."""

    start: int
    end: int
    text: str


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of `text` in order, at most 200; lines are sentences too."""
    found: list[Sentence] = []
    begin = 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _ABBREVIATION.search(
            text, max(begin, match.start() - 12), match.start() + 1
        ):
            continue
        _keep(found, text, begin, match.end())
        begin = match.end()
        if len(found) >= _MAX_SENTENCES:
            return tuple(found)
    _keep(found, text, begin, len(text))
    return tuple(found)


def _keep(found: list[Sentence], text: str, begin: int, end: int) -> None:
    while begin < end and text[begin].isspace():
        begin += 1
    while end > begin and text[end - 1].isspace():
        end -= 1
    # A lone sign ("👌", "+1") is an answer; between other sentences it is decoration.
    if begin < end and (not found or _MEANING.search(text, begin, end)):
        found.append(Sentence(begin, end, text[begin:end]))


def is_salutation(sentence: str) -> bool:
    """Whether the line only greets: "Dear Ms Fok,", "林总您好：", "王老师，"."""
    if len(sentence) > 60 or not sentence:
        return False
    if sentence[-1] not in ",，:：!！~～" and not _GREETING_WORD.search(sentence):
        return False
    return _SALUTATION.match(sentence) is not None


_GREETING_WORD = re.compile(
    r"\b(?:hi|hello|hey|dear|morning|afternoon|evening)\b|[您你早午晚]好|早安|午安|尊敬的", re.IGNORECASE
)


def is_closing(sentence: str) -> bool:
    """Whether the line only takes leave: "Best regards", "祝好", "谢谢！"."""
    return len(sentence) <= 40 and _CLOSING.match(sentence) is not None


def informative(sentences: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
    """The sentences without salutation at the head and closing at the tail; all of them if nothing else is there."""
    first, last = 0, len(sentences)
    while first < last - 1 and first < 2 and is_salutation(sentences[first].text):
        first += 1
    while last > first + 1 and is_closing(sentences[last - 1].text):
        last -= 1
    return sentences[first:last] or sentences


def summarise(sentences: tuple[Sentence, ...], subject: str) -> str:
    """The first sentence or sentences that say something, at most 120 characters; the subject of an empty mail."""
    summary = ""
    for sentence in informative(sentences):
        words = " ".join(sentence.text.split())
        joint = "" if not summary or summary[-1] in "。！？；，" else " "
        if summary and len(summary) + len(joint) + len(words) > SUMMARY_LENGTH:
            break
        summary += joint + words
        if len(summary) >= SUMMARY_LENGTH // 3:
            break
    return shorten(summary or " ".join(subject.split()))


def shorten(words: str, length: int = SUMMARY_LENGTH) -> str:
    """At most `length` characters, with an ellipsis where something was cut, at a word's end in Latin text."""
    if len(words) <= length:
        return words
    cut = words[: length - 1]
    space = cut.rfind(" ")
    if space > length * 2 // 3:
        cut = cut[:space]
    return cut.rstrip(" ,，;；、") + "…"
