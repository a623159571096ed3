"""More than one mailbox: read side by side, each with its own troubles, numbering, proof and canary."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.bootstrap import Options, Workplace
from assistant.config import load_config
from assistant.daemon import Daemon, Passes
from assistant.errors import ProblemsFound, ServerUnreachable
from assistant.ledger import TROUBLE_AFTER
from assistant.store.tables import Location
from tests.offices import ASSISTANT, CHEN, LILEI, MONDAY, Office, command, mail, open_office, write_config
from tests.servers.dovecot import Dovecot, Mailbox
from tests.servers.imap_faults import FaultProxy
from tests.servers.oauth_endpoint import OAuthEndpoint
from tests.servers.processes import wait_until
from tests.servers.smtp_sink import SmtpSink

DUE = MONDAY + timedelta(days=3, minutes=5)


def table(name: str, mailbox: Mailbox, port: int, more: str = "") -> str:
    return (
        f'[[mailbox]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nuser = "{mailbox.user}"\n'
        f'password = "file:password"\ntimeout = "2s"\n{more}'
    )


@dataclass
class Two:
    """An agency with two mailboxes; `second` is reached through a proxy that can fail."""

    office: Office
    first: Mailbox
    second: Mailbox
    proxy: FaultProxy
    sink: SmtpSink

    def passes(self) -> Passes:
        workplace = self.office.workplace
        return Passes(workplace, workplace.mailbox_reader(), workplace.delivery())

    def whole(self) -> None:
        passes = self.passes()
        try:
            passes.whole()
        finally:
            passes.close()

    def to(self, address: str) -> list[bytes]:
        return [item.content for item in self.sink.received if address in item.recipients]

    def locations(self) -> list[tuple[str, str]]:
        with self.office.session() as session:
            rows = session.execute(select(Location.mailbox, Location.outcome).order_by(Location.mailbox, Location.uid))
            return [(row[0], row[1]) for row in rows if row[0] != "outbox"]


def two_mailboxes(
    folder: Path,
    dovecot: Dovecot,
    proxy: FaultProxy,
    sink: SmtpSink,
    *,
    first: str = "",
    second: str = "",
    more: str = "",
) -> Two:
    boxes = dovecot.new_mailbox(), dovecot.new_mailbox()
    (folder / "password").write_text(boxes[0].password, encoding="utf-8")
    tables = table("hello", boxes[0], dovecot.plain_port, first) + table("projects", boxes[1], proxy.port, second)
    config = write_config(folder, smtp_port=sink.port, more=tables + more)
    return Two(open_office(config), *boxes, proxy, sink)


@pytest.fixture
def two(tmp_path: Path, dovecot: Dovecot, imap_proxy: FaultProxy, smtp_sink: SmtpSink) -> Two:
    return two_mailboxes(tmp_path, dovecot, imap_proxy, smtp_sink)


@contextmanager
def running(two: Two, health: Path | None = None) -> Iterator[Daemon]:
    workplace = two.office.workplace
    daemon: Daemon | None = None
    readers = workplace.mailbox_reader(lambda: daemon.wake() if daemon else None)
    for reader in readers.readers:
        reader._wait = lambda stop, seconds: stop.wait(min(seconds / 50, 0.1))
    daemon = Daemon(workplace, Passes(workplace, readers, workplace.delivery()), health)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join(10)
    assert not thread.is_alive()


# --- what the file may say ------------------------------------------------------------------------------------------


def box(name: str = "", user: str = "box", more: str = "") -> str:
    named = f'name = "{name}"\n' if name else ""
    return f'[[mailbox]]\n{named}host = "127.0.0.1"\nport = 143\ntls = "none"\nuser = "{user}"\n{more}'


def test_a_single_table_is_one_mailbox_called_by_its_user(tmp_path: Path) -> None:
    [only] = load_config(
        write_config(tmp_path, more=box(user="Box@agency.example").replace("[[", "[").replace("]]", "]"))
    ).mailbox
    assert (only.name, only.arrives_at) == ("Box@agency.example", "box@agency.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (box("a") + box("a", "other"), 'two are called "a"; give each [[mailbox]] a name of its own'),
        (box(user="x") + box(user="x"), 'two are called "x"'),
        (box("a") + box("b"), "one user of one server stands there twice"),
        (box("outbox"), "mailbox.name cannot be 'outbox'"),
        (box("a\\nb"), "mailbox.name cannot be"),
        (box(user="import"), "mailbox.name cannot be 'import'"),
        (box("a" * 151), "at most 150 characters"),
        (box("a") + box("b", "other", "prot = 1\n"), 'unknown key "prot"'),
        (box("a") + '[[mailbox]]\nname = "b"\n', '[mailbox.1] lacks "host"'),
        ('[submission]\nhost = "x"\nport = 1\nmailbox = "helo"\n' + box("hello"), 'Did you mean "hello"?'),
        (box("a") + box("b", "other") + '[daemon]\ncanary = "6h"\n', 'the address of "a" is not known; add address'),
    ],
)
def test_what_is_wrong_with_several_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        load_config(write_config(tmp_path, more=text))
    assert said in str(found.value)


def test_a_problem_stands_at_its_place_in_either_form(tmp_path: Path) -> None:
    for text, line in ((box(more="prot = 1\n"), 6), (box(more="prot = 1\n").replace("[[", "[").replace("]]", "]"), 6)):
        file = write_config(tmp_path, more=text)
        before = file.read_text().index(text)
        with pytest.raises(ProblemsFound) as found:
            load_config(file)
        assert found.value.problems[0].line == file.read_text()[:before].count("\n") + line


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_same_mail_in_two_mailboxes_is_one_record_with_two_locations(two: Two) -> None:
    raw = mail("请报价。")
    two.first.deliver(b"Delivered-To: hello@lanhai.example\r\n" + raw)
    two.second.deliver(b"Delivered-To: projects@lanhai.example\r\n" + raw)
    two.second.deliver(mail("只在这里。"))
    two.whole()
    assert len(two.office.records()) == 2
    # Which copy is the record goes by their bytes.
    assert [mailbox for mailbox, _ in two.locations()] == ["hello", "projects", "projects"]
    assert sorted(outcome for _, outcome in two.locations()) == ["duplicate", "logged", "logged"]


def test_one_that_is_down_does_not_stop_the_other_and_is_read_when_it_is_back(two: Two, tmp_path: Path) -> None:
    health = tmp_path / "health.json"
    two.proxy.refuse = True
    two.second.deliver(mail("等一等。"))
    with running(two, health) as daemon:
        two.first.deliver(mail("请报价。"))
        wait_until(lambda: len(two.office.records()) == 1, "the mail of the other is logged")

        def states() -> dict[str, str]:
            daemon.wake()
            return {name: said["state"] for name, said in json.loads(health.read_text())["mailboxes"].items()}

        wait_until(lambda: states() == {"hello": "watching", "projects": "unreachable"}, "the health file names it", 20)
        two.proxy.refuse = False
        wait_until(lambda: len(two.office.records()) == 2, "the other is read as well", 20)
    assert sorted(two.locations()) == [("hello", "logged"), ("projects", "logged")]


def test_mail_pushed_to_either_is_logged(two: Two) -> None:
    with running(two):
        wait_until(
            lambda: {state for state, _ in list(two.office.workplace.sink.states.values())} == {"watching"},
            "both are watched",
        )
        two.second.deliver(mail("第一封。"))
        wait_until(lambda: len(two.office.records()) == 1, "the second mailbox pushes")
        two.first.deliver(mail("第二封。"))
        wait_until(lambda: len(two.office.records()) == 2, "and so does the first")


def test_a_new_numbering_of_one_leaves_the_other_alone(two: Two) -> None:
    two.first.deliver(mail("请报价。"))
    two.second.deliver(mail("请改期。"))
    two.whole()
    two.second.renumber()
    two.whole()
    assert sorted(two.locations()) == [("hello", "logged"), ("projects", "duplicate"), ("projects", "logged")]


# --- sending while one is down --------------------------------------------------------------------------------------


def propose(two: Two) -> None:
    """A proposal has waited for three days: a follow-up is due."""
    two.first.deliver(mail("请发一份方案。#discovery", message_id="ask@mingshan.example"))
    two.first.deliver(
        mail(
            "方案请见附件。#proposal",
            subject="新茶推广方案",
            originator=LILEI,
            to=(CHEN,),
            cc=(ASSISTANT,),
            at=MONDAY + timedelta(hours=1),
            message_id="proposal@lanhai.example",
            answers=("ask@mingshan.example",),
        )
    )
    two.office.clock.move_to(MONDAY + timedelta(hours=2))
    two.whole()
    two.office.clock.move_to(DUE)


def test_nothing_goes_to_a_client_who_may_have_answered_in_the_mailbox_that_is_down(two: Two) -> None:
    propose(two)
    two.second.deliver(mail("我们看过了，很好。", answers=("ask@mingshan.example", "proposal@lanhai.example"), at=DUE))
    two.proxy.refuse = True
    two.first.deliver(mail("另一位客户。", originator="zhou@other.example", at=DUE))
    with pytest.raises(ServerUnreachable):
        two.whole()
    assert two.to(CHEN) == []
    assert len(two.office.records()) == 3  # what could be read was logged
    two.proxy.refuse = False
    two.whole()
    assert two.to(CHEN) == []


def test_what_waited_for_a_mailbox_is_sent_once_it_is_back(two: Two) -> None:
    propose(two)
    two.proxy.refuse = True
    with pytest.raises(ServerUnreachable):
        two.whole()
    assert two.to(CHEN) == []
    two.proxy.refuse = False
    two.whole()
    assert len(two.to(CHEN)) == 1


def test_the_operator_is_told_once_of_a_mailbox_that_stays_down(two: Two) -> None:
    two.proxy.refuse = True
    with running(two) as daemon:
        wait_until(lambda: "projects" in two.office.workplace.sink.troubles, "the trouble is noticed")
        daemon.wake()
        two.office.clock.advance(TROUBLE_AFTER)
        daemon.wake()
        wait_until(lambda: two.to(LILEI) != [], "the operator is told")
        two.office.clock.advance(TROUBLE_AFTER)
        daemon.wake()
        two.proxy.refuse = False
        wait_until(lambda: "projects" not in two.office.workplace.sink.troubles, "it is well again", 20)
    [told] = two.to(LILEI)
    from parsers import parse

    assert "The mailbox projects is not read" in parse(told).text
    assert "hello" not in parse(told).text.partition("127.0.0.1")[0]


# --- proof, ledger, canary, sent mail -------------------------------------------------------------------------------


def test_the_word_of_one_mailboxs_server_counts_for_nothing_in_the_other(
    tmp_path: Path, dovecot: Dovecot, imap_proxy: FaultProxy, smtp_sink: SmtpSink
) -> None:
    two = two_mailboxes(
        tmp_path,
        dovecot,
        imap_proxy,
        smtp_sink,
        first='authserv_id = "mx.lanhai.example"\n',
        second='authserv_id = "mx.elsewhere.example"\n',
    )
    verdict = {"Authentication-Results": "mx.lanhai.example; dmarc=pass header.from=lanhai.example"}
    two.first.deliver(mail("请看。", originator=LILEI, to=(CHEN,), headers=verdict))
    two.second.deliver(mail("请转账。", originator=LILEI, to=(CHEN,), headers=verdict))
    forged = {"Authentication-Results": "mx.elsewhere.example; dmarc=fail header.from=lanhai.example"}
    two.second.deliver(mail("不是我。", originator=LILEI, to=(CHEN,), headers=forged))
    two.whole()
    assert {record.reply_text.strip(): record.trust for record in two.office.records()} == {
        "请看。": "pass",
        "请转账。": "none",
        "不是我。": "fail",
    }
    exported = tmp_path / "old.eml"
    exported.write_bytes(mail("导入。", originator=LILEI, to=(CHEN,), headers=verdict))
    assert (
        command(two.office.config_file, "import", str(exported), reader=lambda *_: two.office.workplace.reader).status
        == 0
    )
    assert two.office.records()[-1].trust == "none"  # who knows through which server it came


def test_the_ledger_compares_each_and_names_the_one_it_cannot_reach(two: Two) -> None:
    two.first.deliver(mail("请报价。"))
    two.second.deliver(mail("请改期。"))
    two.whole()
    config = two.office.config_file
    rows = [json.loads(line) for line in command(config, "ledger", "--check", "--json").out.splitlines()]
    assert [(row["mailbox"], row["on_server"], row["kept"]) for row in rows] == [("hello", 1, 1), ("projects", 1, 1)]
    two.proxy.refuse = True
    down = command(config, "ledger", "--check", "--json")
    rows = [json.loads(line) for line in down.out.splitlines()]
    assert (down.status, rows[0]["kept"], rows[0]["error"]) == (1, 1, "")
    assert (rows[1]["mailbox"], "127.0.0.1" in rows[1]["error"]) == ("projects", True)
    assert command(config, "ledger", "--check", "--mailbox", "hello").status == 0
    unknown = command(config, "ledger", "--check", "--mailbox", "helo")
    assert (unknown.status, "hello, projects" in unknown.err) == (2, True)
    listed = [
        json.loads(line) for line in command(config, "ledger", "--mailbox", "projects", "--json").out.splitlines()
    ]
    assert [(row["mailbox"], row["outcome"]) for row in listed] == [("projects", "logged")]


def test_the_doctor_tries_each(two: Two) -> None:
    two.proxy.refuse = True
    found = command(two.office.config_file, "doctor", "--json", reader=lambda *_: two.office.workplace.reader)
    checks = {row["check"]: row for row in map(json.loads, found.out.splitlines())}
    assert found.status == 3
    assert checks["mailbox hello"]["ok"]
    assert two.first.user in checks["mailbox hello"]["sentence"]
    assert not checks["mailbox projects"]["ok"]


def test_each_mailbox_has_its_own_canary(
    tmp_path: Path, dovecot: Dovecot, imap_proxy: FaultProxy, smtp_sink: SmtpSink
) -> None:
    two = two_mailboxes(
        tmp_path,
        dovecot,
        imap_proxy,
        smtp_sink,
        second='folders = ["INBOX", "Sent"]\n',
        more='[daemon]\ncanary = "6h"\n',
    )
    two.whole()
    [one], [other] = two.to(two.first.user), two.to(two.second.user)
    two.first.deliver(one)
    two.second.deliver(other, "Sent")  # the provider's own copy has not come back from anywhere
    two.first.deliver(other)  # and neither has what arrived elsewhere
    two.office.move(minutes=31)
    two.whole()
    [told] = two.to(LILEI)
    from parsers import parse

    assert "in the mailbox projects" in parse(told).text
    assert [record.client_id for record in two.office.records()] == [None, None]
    assert two.office.clients() == []


def test_a_canary_of_an_earlier_version_is_still_waited_for(
    tmp_path: Path, mailbox: Mailbox, smtp_sink: SmtpSink
) -> None:
    config = write_config(
        tmp_path,
        imap_port=mailbox.server.plain_port,
        smtp_port=smtp_sink.port,
        user=mailbox.user,
        password=mailbox.password,
        more='[daemon]\ncanary = "6h"\n',
    )
    office = open_office(config)
    from assistant.store.tables import Setting

    with office.session() as session:
        session.add(Setting(name="canary", value={"at": MONDAY.isoformat(), "key": "canary:before"}))
    office.move(minutes=31)
    passes = Passes(office.workplace, office.workplace.mailbox_reader(), office.workplace.delivery())
    passes.whole()
    passes.close()
    assert [item.recipients for item in smtp_sink.received] == [(LILEI,)]


@pytest.mark.parametrize("named", [False, True])
def test_sent_mail_is_looked_for_where_the_provider_keeps_it(
    named: bool, tmp_path: Path, dovecot: Dovecot, imap_proxy: FaultProxy, smtp_sink: SmtpSink
) -> None:
    two = two_mailboxes(tmp_path, dovecot, imap_proxy, smtp_sink)
    text = two.office.config_file.read_text(encoding="utf-8")
    said = 'mailbox = "projects"\n' if named else f'user = "{two.second.user}"\n'
    two.office.config_file.write_text(text.replace("min_interval = 0\n", f"min_interval = 0\n{said}"), encoding="utf-8")
    workplace = Workplace(load_config(two.office.config_file), tmp_path, Options(), two.office.clock)
    two.first.deliver(mail("别处。", message_id="elsewhere@lanhai.example"), "Sent")
    two.second.deliver(mail("这里。", message_id="here@lanhai.example"), "Sent")
    with workplace.draft_box() as looked:
        assert looked.was_sent("here@lanhai.example")
        assert not looked.was_sent("elsewhere@lanhai.example")
        looked.place(mail("草稿。", message_id="draft@lanhai.example"), MONDAY)
        assert looked.is_placed("draft@lanhai.example")
    assert [len(each.files("Drafts")) for each in (two.first, two.second)] == [0, 1]


def test_where_nobody_knows_the_sent_folders_of_all_are_searched(two: Two) -> None:
    two.second.deliver(mail("这里。", message_id="here@lanhai.example"), "Sent")
    with two.office.workplace.draft_box() as looked:
        assert looked.was_sent("here@lanhai.example")
        assert not looked.was_sent("nowhere@lanhai.example")


def test_a_replaced_token_goes_into_the_file_of_its_own_mailbox(
    tmp_path: Path, dovecot: Dovecot, imap_proxy: FaultProxy, oauth_endpoint: OAuthEndpoint, smtp_sink: SmtpSink
) -> None:
    boxes = dovecot.new_mailbox(), dovecot.new_mailbox()
    tables = ""
    for name, mailbox in zip(("hello", "projects"), boxes, strict=True):
        oauth = oauth_endpoint.settings_for(mailbox.user)
        (tmp_path / f"token-{name}").write_text(oauth.refresh_token.reveal(), encoding="utf-8")
        (tmp_path / "client-secret").write_text("client-secret", encoding="utf-8")
        tables += table(name, mailbox, dovecot.plain_port, 'auth = "oauth2"\n').replace(
            'password = "file:password"\n', ""
        )
        tables += (
            f'[mailbox.oauth]\ntoken_endpoint = "{oauth.token_endpoint}"\nclient_id = "client-1"\nscope = "mail"\n'
            f'refresh_token = "file:token-{name}"\nclient_secret = "file:client-secret"\n'
        )
        mailbox.deliver(mail(f"在{name}。"))
    oauth_endpoint.rotate = True
    office = open_office(write_config(tmp_path, smtp_port=smtp_sink.port, more=tables))
    assert office.workplace.mailbox_reader().read_once() == 2
    for name, mailbox in zip(("hello", "projects"), boxes, strict=True):
        token = (tmp_path / f"token-{name}").read_text().strip()
        assert oauth_endpoint.refresh_tokens[token] == mailbox.user
    assert command(office.config_file, "doctor").status == 0
    for name, mailbox in zip(("hello", "projects"), boxes, strict=True):
        token = (tmp_path / f"token-{name}").read_text().strip()
        assert oauth_endpoint.refresh_tokens[token] == mailbox.user, "the doctor had it replaced and stored it, too"
    boxes[0].deliver(mail("后来的。"))
    oauth_endpoint.revoke()
    assert office.workplace.mailbox_reader().read_once() == 1
