"""Bytes in some charset, labelled rightly, wrongly or not at all, to text.

`decode` never raises: a label is believed as far as the bytes agree with it, then UTF-8, then what reads most like
language among the charsets that Chinese and English mail is written in.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

_ALIASES = {
    "ascii": "ascii", "usascii": "ascii", "ansix341968": "ascii", "iso646us": "ascii", "646": "ascii", "7bit": "ascii",
    "utf8": "utf-8", "utf8mb4": "utf-8", "unicode11utf8": "utf-8", "utf8sig": "utf-8", "xutf8": "utf-8", "unicode": "utf-8",
    "utf7": "utf-7", "unicode11utf7": "utf-7", "xunicode20utf7": "utf-7", "csunicode11utf7": "utf-7",
    "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "ucs2": "utf-16", "utf32": "utf-32",
    "gb2312": "gb18030", "gb231280": "gb18030", "csgb2312": "gb18030", "gbk": "gb18030", "xgbk": "gb18030", "xgb2312": "gb18030",
    "gb18030": "gb18030", "xgb18030": "gb18030", "gb180302000": "gb18030", "gb180302005": "gb18030", "cp936": "gb18030",
    "936": "gb18030", "ms936": "gb18030", "windows936": "gb18030", "euccn": "gb18030", "xeuccn": "gb18030", "cngb": "gb18030",
    "chinese": "gb18030", "csiso58gb231280": "gb18030", "isoir58": "gb18030", "eucgb2312cn": "gb18030", "cseucpkdfmtjapanese": "euc_jp",
    "xmacchinesesimp": "gb18030", "gb": "gb18030", "gb12345": "gb18030", "xcp20936": "gb18030", "gb1988": "gb18030",
    "hz": "hz", "hzgb2312": "hz", "hzgb": "hz", "csgb2312hz": "hz",
    "big5": "big5hkscs", "big5hkscs": "big5hkscs", "xbig5": "big5hkscs", "cnbig5": "big5hkscs", "csbig5": "big5hkscs", "cp950": "big5hkscs",
    "950": "big5hkscs", "windows950": "big5hkscs", "xxbig5": "big5hkscs", "hkscs": "big5hkscs", "big5eten": "big5hkscs", "xmacchinesetrad": "big5hkscs",
    "iso88591": "cp1252", "latin1": "cp1252", "88591": "cp1252", "windows1252": "cp1252", "cp1252": "cp1252", "iso88591windows1252": "cp1252",
    "ansi": "cp1252", "iso8859": "cp1252", "windows1": "cp1252", "cp819": "cp1252", "ibm819": "cp1252", "xansi": "cp1252",
    "isolatin1": "cp1252", "l1": "cp1252", "westerneuropean": "cp1252",
    "iso88598i": "iso8859-8", "iso88598e": "iso8859-8", "iso885911": "cp874", "tis620": "cp874", "windows874": "cp874",
    "ksc56011987": "cp949", "ksc5601": "cp949", "ksc56011989": "cp949", "euckr": "cp949", "korean": "cp949", "windows949": "cp949", "uhc": "cp949",
    "shiftjis": "cp932", "sjis": "cp932", "xsjis": "cp932", "windows31j": "cp932", "cp932": "cp932", "ms932": "cp932",
    "windows932": "cp932", "eucjp": "euc_jp", "xeucjp": "euc_jp", "iso2022jp": "iso2022_jp_ext", "iso2022jp1": "iso2022_jp_ext",
    "iso2022jp2": "iso2022_jp_2", "iso2022jp3": "iso2022_jp_3", "csiso2022jp": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "iso2022kr": "iso2022_kr",
    "iso2022cn": "iso2022cn", "iso2022cnext": "iso2022cn", "macintosh": "mac_roman", "macroman": "mac_roman", "xmacroman": "mac_roman",
}  # fmt: skip
_SAFE_CODEC = re.compile(r"(?:iso8859|iso2022|cp\d|windows|koi8|mac|euc|shift|johab|latin|ptcp154|kz1048|viscii)")
_LATIN = frozenset({"ascii", "cp1252", "mac_roman", "iso8859-15", "iso8859-2", "cp1250"})
_ESCAPED = frozenset({"utf-7", "hz", "iso2022cn", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_3", "iso2022_kr"})
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32"})
_HZ = re.compile(rb"~\{(?:[!-}][!-~])+~\}")
_ISO_2022_CN = re.compile(rb"\x0e([!-~]*)\x0f?")
_ISO_2022_DESIGNATION = re.compile(rb"\x1b\$[)*][A-Z]")
_UTF8_HAN = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){3}")
"""Three Chinese characters of UTF-8: in another charset a reason to look closer."""
_HAN_LEADS = "äåæçèé"
"""What the first bytes of Chinese characters in UTF-8 become when they are taken for Latin-1."""
_TO_LATIN_1 = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_NOT_ASCII = re.compile("[^\x00-\x7f]")

_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
    "這個們來為國說時會對過發後裡種經麼學現當沒動還進樣開從實軍與長機關點業將兩間問並應戰頭見產話內給門員論處義幾認條氣題爾別變總電數報結務場計資許統區隊決馬書則聽卻達強難權記類據邊張該規萬覺術領確傳師觀讓識帶導爭運請謝您請寄復轉收件主旨郵附檔貴單價訂貨"
    "请谢您好吗寄复转收件主题邮附档贵单价订货合同方案客户项目确认修改周联系公司广告设计，。：；！？、（）《》“”…—"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the codec that gave it, and whether that is what the label said, without a lost character."""

    text: str
    codec: str
    as_labelled: bool


@lru_cache(maxsize=256)
def find_codec(label: str) -> str | None:
    """Name of the Python codec for a charset label as found in mail; None for none, unknown or unfit labels."""
    plain = label.strip(" \t\r\n\"'`;,<>").lower().removeprefix("charset=").split("*")[0]
    folded = re.sub(r"[^a-z0-9]", "", plain)[:40]
    if folded in _ALIASES:
        return _ALIASES[folded]
    if not folded:
        return None
    try:
        name = codecs.lookup(plain).name
    except (LookupError, ValueError):
        return None
    if name in _ALIASES.values():
        return name
    # Python's registry also holds transforms and expanding or slow codecs (zlib, punycode): charsets only.
    return name if _SAFE_CODEC.match(name.replace("-", "")) or _SAFE_CODEC.match(name) else None


def decode(data: bytes, label: str | None = None, hint: str | None = None) -> Decoded:
    """Decode `data`. `label` is what the mail claims, `hint` a second opinion (HTML meta, charset of the body)."""
    codec = find_codec(label) if label else None
    if data.isascii():
        return _decode_seven_bit(data, codec, labelled=bool(label))
    if codec in _WIDE:
        return _decode_wide(data, codec)
    # Most mail: UTF-8 and said so, or UTF-8 and not said so.
    utf8 = _strict(data, "utf-8")
    if utf8 is not None:
        if any(map(utf8.__contains__, _HAN_LEADS)) and (once := _undo_second_encoding(utf8)):
            return Decoded(once, "utf-8", as_labelled=False)
        if codec == "utf-8":
            return Decoded(utf8.removeprefix("\ufeff"), "utf-8", as_labelled=True)
        if codec is None or codec in _LATIN or _needs_three_bytes(utf8):
            return Decoded(utf8.removeprefix("\ufeff"), "utf-8", as_labelled=not label)
    if codec is not None and codec not in _LATIN and codec != "utf-8":
        text = _strict(data, codec)
        if text is not None and _is_believable(data, text, codec):
            mixed = _lines_of_two_charsets(data, codec)
            return Decoded(mixed or text, codec, as_labelled=mixed is None)
    return _guess(data, codec, find_codec(hint) if hint else None)


def _decode_seven_bit(data: bytes, codec: str | None, *, labelled: bool) -> Decoded:
    if codec in _ESCAPED:
        read = _iso_2022_cn(data) if codec == "iso2022cn" else _strict(data, codec)
        if read is not None and not _has_surrogates(read):
            return Decoded(read, codec, as_labelled=True)
        lossy = data.decode(codec if codec != "iso2022cn" else "ascii", "replace")
        return Decoded(lossy.encode("utf-8", "replace").decode("utf-8"), codec, as_labelled=False)
    text = data.decode("ascii")
    if codec in _WIDE and "\x00" in text:
        return _decode_wide(data, codec)
    if "~{" in text and codec in (None, "ascii", "gb18030") and _HZ.search(data):
        read = _strict(data, "hz")
        if read is not None:
            return Decoded(read, "hz", as_labelled=False)
    if "\x1b$" in text:
        shifted = "\x0e" in text
        read = _iso_2022_cn(data) if shifted else _strict(data, "iso2022_jp_ext")
        if read is not None:
            return Decoded(read, "iso2022cn" if shifted else "iso2022_jp_ext", as_labelled=False)
    return Decoded(text, codec or "ascii", as_labelled=codec is not None or not labelled)


def _decode_wide(data: bytes, codec: str) -> Decoded:
    if codec == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        codec = _byte_order(data[:800])
    text = _strict(data, codec)
    utf8 = _strict(data, "utf-8") if b"\x00" not in data else None
    if utf8 is not None:
        return Decoded(utf8, "utf-8", as_labelled=False)
    if text is not None:
        return Decoded(text.removeprefix("\ufeff"), codec, as_labelled=True)
    return Decoded(data.decode(codec, "replace").removeprefix("\ufeff"), codec, as_labelled=False)


def _byte_order(sample: bytes) -> str:
    """Big-endian without a mark, by RFC 2781 §4.3; little-endian where senders did as Windows does."""
    scores = {name: _plausibility(sample.decode(name, "replace"), name) for name in ("utf-16-be", "utf-16-le")}
    ascii_first = sample[1:2] == b"\x00"
    return "utf-16-le" if ascii_first or scores["utf-16-le"] > scores["utf-16-be"] else "utf-16-be"


def _undo_second_encoding(text: str) -> str | None:
    """UTF-8 that a program took for Latin-1 or Windows-1252 and encoded again; None if all is as it should be."""
    try:
        once = text.translate(_TO_LATIN_1).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return once if _needs_three_bytes(once) else None


def _lines_of_two_charsets(data: bytes, codec: str) -> str | None:
    """A body with lines of UTF-8, such as a gateway appends, among lines of `codec`; None if it has none."""
    if _UTF8_HAN.search(data) is None:
        return None
    lines: list[str] = []
    in_utf8 = 0
    for line in data.split(b"\n"):
        read = None if line.isascii() else _strict(line, "utf-8")
        if read is not None and _needs_three_bytes(read):
            in_utf8 += 1
        else:
            read = _strict(line, codec)
        if read is None:
            return None
        lines.append(read)
    return "\n".join(lines) if in_utf8 else None


def _iso_2022_cn(data: bytes) -> str:
    """RFC 1922 with its GB 2312 set alone, which is what was used: shifted-out runs are GB 2312 without the high bit."""

    def shift(run: re.Match[bytes]) -> bytes:
        return bytes(byte | 0x80 for byte in run[1])

    return _ISO_2022_CN.sub(shift, _ISO_2022_DESIGNATION.sub(b"", data)).decode("gb18030", "replace")


def _euro(error: UnicodeError) -> tuple[str, int]:
    """Windows' code page 936 has the euro sign at 0x80, where GB 18030 has nothing. Before a number, not in UTF-8 misread."""
    if isinstance(error, UnicodeDecodeError) and error.object[error.start] == 0x80:
        behind = error.start + 1
        if error.object[behind : behind + 1].isascii():
            return "€", behind
    raise error


codecs.register_error("parsers.euro", _euro)


def _strict(data: bytes, codec: str | None) -> str | None:
    try:
        return data.decode(codec or "ascii", "parsers.euro" if codec == "gb18030" else "strict")
    except (UnicodeError, LookupError):
        return None


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text) if not text.isascii() else False


def _needs_three_bytes(text: str) -> bool:
    """GBK bytes may by chance be UTF-8 of two bytes a character, never in practice of three."""
    return max(text) >= "\u0800"


def _is_believable(data: bytes, text: str, codec: str) -> bool:
    """False where bytes fit one Chinese charset, yet read better in the other."""
    other = {"gb18030": "big5hkscs", "big5hkscs": "gb18030"}.get(codec)
    if other is None:
        return True
    if codec == "gb18030" and _fits(text, "gb2312"):
        return True
    foreign = "".join(_NOT_ASCII.findall(text[:4000])[:300])
    if codec == "gb18030" and len(foreign.encode("gb2312", "ignore")) >= len(foreign) * 1.8:
        return True
    sample = data if len(data) <= 6000 else _cut_sample(data)
    return _plausibility(text, codec) >= _plausibility(sample.decode(other, "replace"), other)


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _guess(data: bytes, codec: str | None, hint: str | None) -> Decoded:
    """The candidate that reads best, by characters; the label and the hint break ties by coming first."""
    candidates = dict.fromkeys(
        name for name in (codec, hint, "gb18030", "big5hkscs", "utf-8", "cp1252") if name and name not in _WIDE
    )
    if codec in ("cp932", "euc_jp", "cp949") or hint in ("cp932", "euc_jp", "cp949"):
        candidates.setdefault("cp932")
    candidates.pop("ascii", None)
    candidates.pop("iso2022cn", None)
    sample = data if len(data) <= 6000 else _cut_sample(data)
    best_name, best_score = "utf-8", float("-inf")
    for place, name in enumerate(() if _is_damaged_utf8(sample) else candidates):
        score = _plausibility(sample.decode(name, "replace"), name) - place * 0.01
        if score > best_score:
            best_name, best_score = name, score
    text = in_one = _strict(data, best_name) or data.decode(best_name, "replace")
    lost = text.count("\ufffd")
    if lost:
        text = _line_by_line(data, best_name, text, lost)
    elif best_name != "utf-8":
        text = _lines_of_two_charsets(data, best_name) or text
    return Decoded(text, best_name, as_labelled=best_name == codec and not lost and text == in_one)


def _is_damaged_utf8(sample: bytes) -> bool:
    """UTF-8 cut short or with a few bytes lost: sequences of three bytes do not come by chance."""
    read = sample.decode("utf-8", "replace")
    lost = read.count("\ufffd")
    return sum(char >= "\u0800" for char in read) - lost >= 2 * lost


def _cut_sample(data: bytes) -> bytes:
    """About 6,000 bytes around the first non-ASCII one, ended at a line end so that no character is cut."""
    first = next(iter(re.finditer(rb"[\x80-\xff]", data))).start()
    start = data.rfind(b"\n", 0, first) + 1
    start = max(start, first - 1000)
    end = data.rfind(b"\n", start, start + 6000)
    return data[start : end if end > first else start + 6000]


def _line_by_line(data: bytes, codec: str, text: str, lost: int) -> str:
    """Mail pasted together from several charsets: read each line by itself, keep that if fewer characters are lost."""
    lines = []
    for line in data.split(b"\n"):
        if line.isascii():
            lines.append(line.decode("ascii"))
            continue
        for name in ("utf-8",) if _is_damaged_utf8(line) else ("utf-8", codec, "gb18030"):
            read = _strict(line, name)
            if read is not None:
                lines.append(read)
                break
        else:
            lines.append(line.decode("utf-8" if _is_damaged_utf8(line) else codec, "replace"))
    joined = "\n".join(lines)
    return joined if joined.count("\ufffd") < lost else text


def _plausibility(text: str, codec: str) -> float:
    """How much a text reads like language, judged by its first few hundred non-ASCII characters."""
    score = 0.0
    for index, found in enumerate(_NOT_ASCII.finditer(text)):
        if index >= 400:
            break
        char = found[0]
        if char == "\ufffd":
            score -= 12
        elif char in _FREQUENT:
            score += 4
        elif "\u4e00" <= char <= "\u9fff":
            score += _rarity(char, codec)
        elif "\u3000" <= char <= "\u301f" or "\uff01" <= char <= "\uff5e" or char in "’‘–•·":
            score += 1
        elif "\u3040" <= char <= "\u30ff" or "\uac00" <= char <= "\ud7a3":
            score += 2 if codec in ("utf-8", "cp932", "euc_jp", "cp949") else -1
        elif char.isalpha() and char < "\u0250":
            score += _latin_fit(text, found.start())
        elif char.isalpha() and codec not in ("gb18030", "big5hkscs", "cp1252"):
            score += 1
        else:
            score -= 2
    return score


def _rarity(char: str, codec: str) -> float:
    if codec == "gb18030":
        pair = char.encode("gb18030")
        if len(pair) == 2 and pair[1] >= 0xA1 and 0xB0 <= pair[0] <= 0xF7:
            return 2 if pair[0] <= 0xD7 else 0
        return -2
    if codec == "big5hkscs":
        return 2 if 0xA4 <= char.encode("big5hkscs", "replace")[0] <= 0xC6 else -1
    return 2


def _latin_fit(text: str, at: int) -> float:
    """An accented letter stands among plain letters; four in a row are Chinese read in the wrong charset."""
    around = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    return 2 if any(char.isascii() and char.isalpha() for char in around) and around.isascii() else -2
