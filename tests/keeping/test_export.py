"""What a client gets: all of theirs and nothing of anybody else's, in files that open anywhere."""

from __future__ import annotations

import csv
import io
import json
import mailbox
import stat
import zipfile
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.keeping.export import _cell, safe_name
from parsers.files import files_of
from tests.offices import ASSISTANT, CHEN, HAN, LILEI, MONDAY, Office, command, mail, open_office, write_config

ANNA = "anna@north.example"


def with_files(text: str, *files: tuple[str, bytes], bcc: str = "") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Cc"] = LILEI, CHEN, ASSISTANT
    message["Subject"], message["Date"] = "方案 <b>终稿</b>", MONDAY - timedelta(hours=1)
    message["Message-ID"], message["In-Reply-To"] = "<files@lanhai.example>", "<a@mingshan.example>"
    if bcc:
        message["Bcc"] = bcc
    message.set_content(text)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """明山 with a proposal in two files of one name, a sign-off and an internal word; North beside it."""
    office = open_office(write_config(tmp_path))
    office.hear(
        mail("请报价。#discovery\n\nFrom here on it gets interesting.", message_id="a@mingshan.example",
             at=MONDAY - timedelta(hours=3)),
        with_files("请看附件。#proposal <script>alert(1)</script>", ("../../报价.pdf", b"first"), ("报价.pdf", b"second"),
                   ("CON", b"device"), bcc="secret@lanhai.example"),
        mail("=同意，就这样做。#proposal #approval", message_id="c@mingshan.example", at=MONDAY, subject="=1+1",
             answers=("files@lanhai.example",)),
        mail("这个客户预算不多。", originator=LILEI, to=(HAN,), cc=(ASSISTANT,), message_id="i@lanhai.example",
             answers=("c@mingshan.example",)),
        mail("North's own secret plan.", originator=ANNA, message_id="n@north.example"),
    )  # fmt: skip
    return office


def unpacked(office: Office, tmp_path: Path, *more: str) -> zipfile.ZipFile:
    target = tmp_path / "out.zip"
    outcome = command(office.config_file, "export", "mingshan.example", "--to", str(target), *more)
    assert outcome.status == 0, outcome.err
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    packed = zipfile.ZipFile(target)
    assert packed.testzip() is None
    return packed


def test_everything_of_the_client_is_in_it_and_nothing_of_others(office: Office, tmp_path: Path) -> None:
    with unpacked(office, tmp_path) as packed:
        everything = b"\n".join(packed.read(name) for name in packed.namelist()).decode("utf-8", "replace")
        for foreign in ("North", ANNA, "预算不多", "secret@lanhai.example"):
            assert foreign not in everything
        records = json.loads(packed.read("records.json"))
        assert [row["message_id"] for row in records] == [
            "a@mingshan.example",
            "files@lanhai.example",
            "c@mingshan.example",
        ]
        signed = json.loads(packed.read("sign-offs.json"))
        assert [(row["what"], row["by"], row["message_id"]) for row in signed] == [
            ("proposal", CHEN, "c@mingshan.example")
        ]
        assert json.loads(packed.read("stages.json"))[0]["to_stage"] == "discovery"


def test_the_mailbox_is_read_by_any_mail_program(office: Office, tmp_path: Path) -> None:
    with unpacked(office, tmp_path) as packed:
        packed.extract("mailbox.mbox", tmp_path)
    box = mailbox.mbox(tmp_path / "mailbox.mbox")
    assert [message["Message-ID"] for message in box] == [
        "<a@mingshan.example>",
        "<files@lanhai.example>",
        "<c@mingshan.example>",
    ]
    assert b">From here on" in box.get_bytes(0)  # type: ignore[arg-type]  # the keys of an mbox are numbers
    box.close()
    other = open_office(write_config(tmp_path / "other"))
    other.workplace.database.close()
    outcome = command(other.config_file, "import", str(tmp_path / "mailbox.mbox"), "--json")
    assert json.loads(outcome.out)["logged"] == 3, outcome.err


def test_attachments_have_harmless_names_and_none_takes_the_place_of_another(office: Office, tmp_path: Path) -> None:
    with unpacked(office, tmp_path) as packed:
        found = {name: packed.read(name) for name in packed.namelist() if name.startswith("attachments/")}
    assert found == {
        "attachments/2026-03-02 报价.pdf": b"first",
        "attachments/2026-03-02 报价 (2).pdf": b"second",
        "attachments/2026-03-02 file CON": b"device",
    }


def test_spreadsheets_get_text_and_no_formulas(office: Office, tmp_path: Path) -> None:
    with unpacked(office, tmp_path) as packed:
        rows = list(csv.DictReader(io.StringIO(packed.read("records.csv").decode("utf-8-sig"))))
    assert [row["subject"] for row in rows][-1] == "'=1+1"
    assert rows[1]["attachments"].startswith("attachments/2026-03-02 报价.pdf; ")


def test_the_page_shows_it_all_and_runs_nothing(office: Office, tmp_path: Path) -> None:
    assert command(office.config_file, "clients", "set", "mingshan.example", "--language", "zh-Hans").status == 0
    with unpacked(office, tmp_path) as packed:
        page = packed.read("index.html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "往来记录" in page
    assert 'href="attachments/2026-03-02%20%E6%8A%A5%E4%BB%B7.pdf"' in page


def test_colleagues_words_only_on_request_and_nothing_is_overwritten(office: Office, tmp_path: Path) -> None:
    with unpacked(office, tmp_path, "--internal") as packed:
        assert "预算不多" in packed.read("records.json").decode()
    again = command(office.config_file, "export", "mingshan.example", "--to", str(tmp_path / "out.zip"))
    assert (again.status, "--force" in again.err) == (2, True)
    nowhere = command(office.config_file, "export", "mingshan.example", "--to", str(tmp_path / "no" / "x.zip"))
    assert (nowhere.status, "cannot write" in nowhere.err) == (3, True)
    assert command(office.config_file, "export", "nobody.example").status == 2


def test_mail_that_is_not_kept_any_more_is_counted(office: Office, tmp_path: Path) -> None:
    from assistant.store.erased import erase_raw

    with office.session() as session:
        erase_raw(session, [1], MONDAY)
    outcome = command(office.config_file, "export", "mingshan.example", "--to", str(tmp_path / "x.zip"), "--json")
    counts = json.loads(outcome.out)
    assert (counts["messages"], counts["records"], counts["erased"]) == (2, 3, 1)


@pytest.mark.parametrize(
    "beginning", ["=", "+", "-", "@", " =", "\t=", "\r\n=", "＝", "\u3000@", "\n"]
)  # as typed in Chinese
def test_no_cell_begins_as_a_formula(beginning: str) -> None:
    assert _cell(f'{beginning}HYPERLINK("http://x.example")').startswith("'")
    assert _cell([f"{beginning}1", "x"]).startswith("'")


@given(name=st.text(max_size=300))
def test_a_name_is_never_a_path_or_a_device(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe.strip(" .")
    assert 0 < len(safe) <= 110
    assert not set(safe) & set('/\\:*?"<>|\x00\n\u202e')
    assert safe.upper() not in {"CON", "NUL", "AUX", "PRN", ".", ".."}


@given(raw=st.binary(max_size=2000))
def test_files_of_any_bytes_never_raise(raw: bytes) -> None:
    for attachment, data in files_of(raw):
        assert attachment.size >= 0
        assert isinstance(data, bytes)
