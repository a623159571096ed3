"""Mail in files: mbox as programs really write it, Maildir, messages, folders and archives."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.mail import sources
from assistant.mail.mbox import separator_date, split_mbox
from assistant.mail.sources import SourceMessage, SourceProblem, count_messages, iterate_messages
from tests.mail.support import letter, name_of

LARGE = 1_000_000
FROM = b"From lin@buyer.example Tue Feb 24 10:00:00 2026\n"


def bodies(data: bytes, largest: int = LARGE) -> list[bytes]:
    return [message.raw for message in split_mbox(io.BytesIO(data), largest)]


def names(*paths: Path) -> list[str]:
    return [name_of(item.raw) for item in iterate_messages(paths) if isinstance(item, SourceMessage)]


def problems(*paths: Path) -> list[str]:
    return [item.message for item in iterate_messages(paths) if isinstance(item, SourceProblem)]


def mbox_of(*raws: bytes) -> bytes:
    """An mbox as mboxrd says (an independent writer, so that the reader is not tested against itself)."""
    parts = []
    for raw in raws:
        lines = raw.splitlines(keepends=True)
        quoted = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
        parts.append(FROM + b"".join(quoted) + b"\n")
    return b"".join(parts)


class TestMbox:
    def test_messages_are_cut_at_their_separators(self) -> None:
        data = FROM + b"Subject: a\n\none\n\n" + FROM + b"Subject: b\n\ntwo\n"
        assert bodies(data) == [b"Subject: a\n\none\n", b"Subject: b\n\ntwo\n"]

    def test_crlf_is_kept(self) -> None:
        data = (FROM + b"Subject: a\n\none\n\n" + FROM + b"Subject: b\n\ntwo\n").replace(b"\n", b"\r\n")
        assert bodies(data) == [b"Subject: a\r\n\r\none\r\n", b"Subject: b\r\n\r\ntwo\r\n"]

    def test_a_sentence_that_begins_with_from_is_no_separator(self) -> None:
        data = FROM + b"Subject: a\n\nHello,\n\nFrom 9:00 on 24 February 2026 we are here.\n\nFrom us: all\nNote: x\n"
        assert len(bodies(data)) == 1

    def test_quoted_from_lines_lose_one_mark(self) -> None:
        data = FROM + b"Subject: a\n\n>From here\n>>From there\n> From far\n"
        assert bodies(data) == [b"Subject: a\n\nFrom here\n>From there\n> From far\n"]

    def test_a_missing_empty_line_before_a_full_separator_is_forgiven(self) -> None:
        assert len(bodies(FROM + b"Subject: a\n\none\n" + FROM + b"Subject: b\n\ntwo\n")) == 2

    def test_a_lying_content_length_is_ignored(self) -> None:
        data = FROM + b"Subject: a\nContent-Length: 9999\n\none\n\n" + FROM + b"Subject: b\nContent-Length: 1\n\ntwo\n"
        assert bodies(data)[1].endswith(b"\n\ntwo\n")

    @pytest.mark.parametrize(
        "separator",
        [
            b"From - Tue Feb 24 10:00:00 2026",
            b"From 1790000000000000000@xxx Tue Feb 24 10:00:00 +0000 2026",
            b"From lin at buyer.example  Tue Feb 24 18:00:00 2026 +0800",
            b"From MAILER-DAEMON Tue Feb 24 10:00 2026",
            b'From "lin wang"@buyer.example Tue Feb 24 10:00:00 CST 2026',
        ],
    )
    def test_separators_of_many_programs(self, separator: bytes) -> None:
        data = FROM + b"Subject: a\n\none\n\n" + separator + b"\nSubject: b\n\ntwo\n"
        first, second = split_mbox(io.BytesIO(data), LARGE)
        assert first.received_at == second.received_at == datetime(2026, 2, 24, 10, 0, tzinfo=UTC)
        assert data[second.offset :].startswith(separator)

    def test_nonsense_dates_are_nobodys_date(self) -> None:
        assert separator_date(b"From x Tue Foo 24 10:00:00 2026") is None
        assert separator_date(b"From x Tue Feb 31 10:00:00 2026") is None
        assert separator_date(b"From x") is None

    def test_a_message_larger_than_allowed_is_cut_and_the_next_is_whole(self) -> None:
        data = FROM + b"Subject: a\n\n" + b"x" * 500_000 + b"\n\n" + FROM + b"Subject: b\n\ntwo\n"
        first, second = split_mbox(io.BytesIO(data), 100_000)
        assert first.truncated
        assert len(first.raw) <= 100_000
        assert second.raw == b"Subject: b\n\ntwo\n"

    def test_an_empty_file_holds_nothing(self) -> None:
        assert bodies(b"") == []

    @given(st.binary(max_size=400))
    def test_any_bytes_are_split_without_losing_text(self, data: bytes) -> None:
        assert sum(map(len, bodies(data))) <= len(data)

    @given(
        st.lists(
            st.lists(
                st.sampled_from(
                    [
                        b"",
                        b"From here",
                        b">From there",
                        b">>From x",
                        b"From a@b Tue Feb 24 10:00:00 2026",
                        b"x: y",
                        b"text",
                    ]
                ),
                max_size=8,
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_what_was_written_as_mboxrd_is_read_back(self, texts: list[list[bytes]]) -> None:
        raws = [b"Subject: s\n\n" + b"".join(line + b"\n" for line in lines) + b"end\n" for lines in texts]
        assert bodies(mbox_of(*raws)) == raws


def make_maildir(path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)


class TestSources:
    def test_a_maildir_with_its_folders(self, tmp_path: Path) -> None:
        box = tmp_path / "Maildir"
        for folder in (box, box / ".Sent", box / ".&XeVSNw-", box / "nested" / "deep"):
            make_maildir(folder)
        (box / "cur" / "1.a.host:2,S").write_bytes(letter("read"))
        (box / "new" / "2.b.host").write_bytes(letter("unread"))
        (box / "tmp" / "3.c.host").write_bytes(letter("unfinished"))
        (box / ".Sent" / "cur" / "4.d.host:2,").write_bytes(letter("sent"))
        (box / ".&XeVSNw-" / "new" / "5.e.host").write_bytes(letter("zh"))
        (box / "nested" / "deep" / "new" / "6.f.host").write_bytes(letter("deep"))
        os.utime(box / "new" / "2.b.host", (1_771_927_200, 1_771_927_200))
        assert sorted(names(box)) == ["deep", "read", "sent", "unread", "zh"]
        assert count_messages([box]) == 5
        items = [item for item in iterate_messages([box]) if isinstance(item, SourceMessage)]
        read, unread = items[:2]
        assert (read.source, read.position) == (str(box), "1.a.host")
        assert unread.received_at == datetime(2026, 2, 24, 10, 0, tzinfo=UTC)

    def test_messages_and_folders_of_messages(self, tmp_path: Path) -> None:
        (tmp_path / "2026" / "02").mkdir(parents=True)
        (tmp_path / "a.eml").write_bytes(letter("a"))
        (tmp_path / "2026" / "b.EML").write_bytes(letter("b"))
        (tmp_path / "2026" / "02" / "客户.eml").write_bytes(letter("c"))
        (tmp_path / "2026" / "notes.txt").write_text("From: nobody\n\nnot mail")
        (tmp_path / "2026" / "all.mbox").write_bytes(mbox_of(letter("d"), letter("e")))
        (tmp_path / "2026" / "INBOX").write_bytes(mbox_of(letter("f")))
        assert sorted(names(tmp_path)) == ["a", "b", "c", "d", "e", "f"]
        assert count_messages([tmp_path]) == 6
        assert problems(tmp_path) == []

    def test_archives(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            archive.writestr("mail/a.eml", letter("a"))
            archive.writestr("takeout/all.mbox", mbox_of(letter("b"), letter("c")))
            archive.writestr("readme.txt", "hello")
        with gzip.open(tmp_path / "old.mbox.gz", "wb") as packed:
            packed.write(mbox_of(letter("d")))
        assert names(tmp_path / "export.zip", tmp_path / "old.mbox.gz") == ["a", "b", "c", "d"]

    def test_what_cannot_be_read_is_a_problem_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(letter("a"))
        (tmp_path / "b.zip").write_bytes(b"not an archive")
        (tmp_path / "c.mbox.gz").write_bytes(b"not packed")
        (tmp_path / "d.eml").symlink_to(tmp_path / "nowhere.eml")
        (tmp_path / "e.eml").write_bytes(letter("e"))
        assert names(tmp_path) == ["a", "e"]
        assert len(problems(tmp_path)) == 3
        assert problems(tmp_path / "absent.mbox") == [
            f"{tmp_path / 'absent.mbox'} cannot be read: No such file or directory."
        ]

    def test_a_file_that_is_no_mail_is_said_when_somebody_names_it(self, tmp_path: Path) -> None:
        picture = tmp_path / "picture.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n")
        assert "does not look like mail" in problems(picture)[0]
        assert count_messages([picture]) == 0

    def test_a_message_without_a_telling_name_is_recognised(self, tmp_path: Path) -> None:
        path = tmp_path / "saved.txt"
        path.write_bytes(letter("named"))
        assert names(path) == ["named"]

    def test_a_message_that_is_too_large_is_kept_in_part_and_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "LARGEST_MESSAGE", 1000)
        (tmp_path / "huge.eml").write_bytes(letter("huge", size=5000))
        [problem, message] = iterate_messages([tmp_path / "huge.eml"])
        assert isinstance(problem, SourceProblem)
        assert isinstance(message, SourceMessage)
        assert len(message.raw) == 1000

    def test_a_folder_that_leads_back_to_itself_ends(self, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(letter("a"))
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
        assert names(tmp_path) == ["a"]
