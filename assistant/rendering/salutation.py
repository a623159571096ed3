"""How a person is addressed: 林总, 林女士, 林晓芸, Grace. Never a guess about gender."""

from __future__ import annotations

import re
from typing import Final, Literal

from assistant.rendering.languages import is_chinese

Gender = Literal["", "female", "male"]

_COMPOUND_SURNAMES: Final = frozenset(
    [
        "欧阳",
        "歐陽",
        "司马",
        "司馬",
        "上官",
        "诸葛",
        "諸葛",
        "东方",
        "東方",
        "皇甫",
        "尉迟",
        "尉遲",
        "公孙",
        "公孫",
        "慕容",
        "令狐",
        "司徒",
        "司空",
        "夏侯",
        "宇文",
        "长孙",
        "長孫",
        "轩辕",
        "軒轅",
        "端木",
        "百里",
        "南宫",
        "南宮",
        "西门",
        "西門",
        "独孤",
        "獨孤",
        "呼延",
        "澹台",
        "澹臺",
        "闻人",
        "聞人",
        "公羊",
        "太史",
        "申屠",
        "钟离",
        "鍾離",
        "濮阳",
        "濮陽",
    ]
)
_TITLE_WORDS: Final = (
    # What a role says, and how people are then called. The first that is part of the role wins.
    (
        re.compile("总裁|總裁|总经理|總經理|总监|總監|董事长|董事長|创始人|創辦人|合伙人|合夥人|^总$|CEO|CMO|COO|CFO"),
        "总",
        "總",
    ),
    (re.compile("经理|經理"), "经理", "經理"),
    (re.compile("主任"), "主任", "主任"),
    (re.compile("教授"), "教授", "教授"),
    (re.compile("老师|老師"), "老师", "老師"),
    (re.compile("博士"), "博士", "博士"),
    (re.compile("医生|醫生|医师|醫師"), "医生", "醫師"),
    (re.compile("律师|律師"), "律师", "律師"),
)
_ASSISTING: Final = re.compile("助理|助手|秘书|秘書|副")
_HAN_NAME: Final = re.compile(r"[\u4e00-\u9fff]{2,4}")
_LATIN_NAME: Final = re.compile(r"[A-Za-zÀ-ÿ][\w'’.-]*(?: [\w'’.-]+){0,4}")


def surname(name: str) -> str:
    """Surname of a Chinese name in Han characters; "" where the name is not one."""
    if not _HAN_NAME.fullmatch(name):
        return ""
    return name[:2] if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else name[:1]


def salutation(name: str, language: str, *, title: str = "", gender: Gender = "", given_name: str = "") -> str:
    """What follows "Hi" or precedes 您好 in a mail of `language`; "" where no fit name is known.

    Chinese: surname and title where the title is one that people are called by, else surname and 先生 / 女士 where the
    gender is known, else the full name. English: the given name if known, the first word of a Latin name, else the
    whole name. A name that is an address, a department or a team is no name.
    """
    tidy = " ".join(name.split())
    if not tidy or "@" in tidy or any(character.isdigit() for character in tidy):
        return ""
    if is_chinese(language):
        return _chinese_salutation(tidy, language, title, gender)
    if given_name:
        return given_name
    if "," in tidy:
        family, _, given = tidy.partition(",")
        tidy = f"{given.strip()} {family.strip()}".strip()
    return tidy.split(" ")[0] if _LATIN_NAME.fullmatch(tidy) else tidy


def _chinese_salutation(name: str, language: str, title: str, gender: Gender) -> str:
    traditional = language == "zh-Hant"
    family = surname(name)
    if not family:
        return name
    if title and not _ASSISTING.search(title):
        for pattern, simplified_form, traditional_form in _TITLE_WORDS:
            if pattern.search(title):
                return family + (traditional_form if traditional else simplified_form)
    if gender:
        return family + {"female": "女士", "male": "先生"}[gender]
    return name
