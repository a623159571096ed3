"""Message-IDs and lists of them (RFC 5322 §3.6.4), with and without angle brackets, commas and folds in mid-id."""

from __future__ import annotations

import re

from parsers.limits import MAX_IDS, Defects

_ID_OR_WORD = re.compile(r"<([^<>]*)>|([^\s<>,;]+)")
_SPACE = re.compile(r"\s+")
_LONGEST_ID = 1000
_QUOTED_OR_COMMENT = re.compile(r'"[^"]*"|\([^()]*\)')


def read_id(value: str) -> str | None:
    """The one id of a Message-ID field, without brackets; None if there is nothing that could be one."""
    ids = _find(value)
    if ids:
        return ids[0]
    bare = _SPACE.sub("", value).strip("<>,;\"'")
    return bare if bare and len(bare) <= _LONGEST_ID else None


def read_ids(values: list[str], defects: Defects, where: str) -> tuple[str, ...]:
    """All ids in order of appearance, each once; of very many the first and the last are kept."""
    ids = tuple(dict.fromkeys(found for value in values for found in _find(value)))
    if len(ids) > MAX_IDS:
        defects.add("ids-cut", where, f"{MAX_IDS} of {len(ids)} kept")
        ids = ids[: MAX_IDS // 2] + ids[-MAX_IDS // 2 :]
    return ids


def read_parents(values: list[str], defects: Defects) -> tuple[str, ...]:
    """Ids of In-Reply-To, where old clients also write a sentence: with brackets anywhere, only those count."""
    found: list[str] = []
    for value in values:
        if "<" in value and ('"' in value or "(" in value):
            value = _QUOTED_OR_COMMENT.sub(" ", value) if len(value) < 10_000 else value
        bracketed = [_SPACE.sub("", match[1]) for match in _ID_OR_WORD.finditer(value) if match[1]]
        if len(bracketed) > 1 and any(match[2] and "@" not in match[2] for match in _ID_OR_WORD.finditer(value)):
            bracketed = bracketed[-1:]  # words around: the brackets before hold the writer's address
        found += [one for one in bracketed if len(one) <= _LONGEST_ID] or _find(value)
    ids = tuple(dict.fromkeys(found))
    if len(ids) > MAX_IDS:
        defects.add("ids-cut", "in-reply-to", f"{MAX_IDS} of {len(ids)} kept")
    return ids[:MAX_IDS]


def _find(value: str) -> list[str]:
    found = []
    for match in _ID_OR_WORD.finditer(value):
        bracketed, bare = match[1], match[2]
        if bracketed:
            one = bracketed if " " not in bracketed and "\t" not in bracketed else _SPACE.sub("", bracketed)
        elif bare and "@" in bare:
            one = bare.strip("\"'")
        else:
            continue
        if one and len(one) <= _LONGEST_ID:
            found.append(one)
    return found
