"""One spelling for matching: lower case, half width, simplified Chinese. Lengths never change, so positions stay true."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_EXTRA = {"　": " ", "\u00a0": " ", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-"}


@cache
def table() -> dict[int, str]:
    """Character by character: traditional to simplified by OpenCC's table, full width to half width, capitals to small."""
    mapping: dict[int, str] = {}
    for code in range(0x10000):
        small = chr(code).lower()
        if len(small) == 1 and small != chr(code):
            mapping[code] = small
    for code in range(0xFF01, 0xFF5F):
        mapping[code] = chr(code - 0xFEE0).lower()
    mapping.update({ord(character): plain for character, plain in _EXTRA.items()})
    mapping.update(_simplified())
    return mapping


def _simplified() -> dict[int, str]:
    import opencc

    source = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    mapping = {}
    for line in source.read_text("utf-8").splitlines():
        traditional, _, simplified = line.partition("\t")
        first = simplified.split(" ")[0]
        if len(traditional) == 1 and len(first) == 1:
            mapping[ord(traditional)] = first
    return mapping


@cache
def _han_table() -> dict[int, str]:
    return _simplified()


def simplify(text: str) -> str:
    """Traditional characters as simplified ones, everything else as it is: the encoder has read more of those."""
    return text.translate(_han_table())


def normalise(text: str) -> str:
    """`text` in the spelling that cues and n-grams are matched in; as long as `text`."""
    return text.translate(table())
