"""Bytes to text where the label is right, wrong, unknown or missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.charsets import decode, find_codec
from parsers.encoded_words import decode_words

READ = [
    ("张三", "gbk", None), ("林晓芸", "gbk", "unknown-8bit"), ("您好，附件是合同", "gbk", "utf-8"), ("您好，附件是合同", "gbk", "iso-8859-1"), ("重庆", "gbk", "us-ascii"),
    ("联通", "gbk", "gb2312"), ("您好", "gbk", "big5"), ("朱镕基", "gbk", "gb2312"), ("䶮㐂𠮷", "gb18030", "gb2312"), ("您好", "utf-8", "gb2312"), ("naïve café 你好", "utf-8", "windows-1252"),
    ("報價單確認", "big5", None), ("報價單確認", "big5", "gb2312"), ("嘅咁喺啲", "big5hkscs", "big5"), ("蘭海廣告", "gbk", None), ("關於合約", "gbk", "gbk"), ("您好", "big5", "big5"),
    ("您好", "hz", None), ("您好", "hz", "hz-gb-2312"), ("您好", "utf-7", "utf-7"), ("您好，合同", "utf-16", "utf-16"), ("Société générale à", "latin-1", None),
    ("Größe Müller", "latin-1", "iso-8859-1"), ("“quoted” – €5", "cp1252", "iso-8859-1"), ("Привет мир", "koi8-r", "koi8-r"), ("こんにちは世界", "cp932", "shift_jis"), ("안녕하세요", "cp949", "ks_c_5601-1987"),
    ("これは件名です", "iso2022_jp", "iso-2022-jp"), ("これは件名です", "iso2022_jp", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "written_in", "label"), READ)
def test_text_is_read_whatever_its_label(text: str, written_in: str, label: str | None) -> None:
    assert decode(text.encode(written_in), label).text == text


@pytest.mark.parametrize(
    "label",
    [
        "zlib",
        "bz2",
        "base64",
        "hex",
        "rot13",
        "punycode",
        "idna",
        "unicode_escape",
        "undefined",
        "mbcs",
        "nonsense",
        "",
        "\x00",
        "x" * 5000,
    ],
)
def test_labels_that_are_no_charsets_name_no_codec(label: str) -> None:
    assert find_codec(label) is None


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        (' "GB2312" ', "gb18030"),
        ("x-gbk", "gb18030"),
        ("cp936", "gb18030"),
        ("big5-hkscs", "big5hkscs"),
        ("utf8", "utf-8"),
        ("charset=utf-8", "utf-8"),
        ("ISO_8859-1", "cp1252"),
        ("koi8-r", "koi8-r"),
    ],
)
def test_labels_are_known_in_all_spellings(label: str, codec: str) -> None:
    assert find_codec(label) == codec


def test_a_single_damaged_byte_costs_a_single_character() -> None:
    data = "您好，附件是合同，请查收。".encode("gbk")
    read = decode(data[:10] + b"\xff" + data[10:], "gbk")
    assert read.text.count("\ufffd") <= 2
    assert "请查收" in read.text


@given(st.text(max_size=200), st.sampled_from(["utf-8", "gb18030"]))
def test_rightly_labelled_text_comes_back(text: str, codec: str) -> None:
    data = text.encode(codec)
    if "~{" not in text and "\x1b" not in text and not text.startswith("\ufeff"):
        read = decode(data, codec)
        assert read.text == text or (codec == "gb18030" and not read.as_labelled)


@given(
    st.binary(max_size=300),
    st.one_of(
        st.none(),
        st.text(max_size=20),
        st.sampled_from(["utf-7", "hz", "utf-16", "iso-2022-cn", "iso-2022-jp", "iso-2022-kr", "big5", "shift_jis"]),
    ),
)
def test_decoding_never_raises_and_gives_text_that_can_be_stored(data: bytes, label: str | None) -> None:
    decode(data, label).text.encode("utf-8")


@given(st.text(max_size=120))
def test_encoded_words_never_raise(text: str) -> None:
    decode_words(f"=?{text}")
    decode_words(f"=?utf-8?B?{text}?= =?gbk?Q?{text}?=")
