"""What a mail says, read with the model that ships."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from assistant.model.process import APPROVALS, INTENTS, STAGE_LABELS, WAITING_ON
from assistant.model.reading import TextToRead
from assistant.understanding import load_reader
from assistant.understanding.memory import Corrected
from assistant.understanding.reader import PipelineReader
from tests.understanding.conftest import MONDAY, WriteMail, earlier, walk_to


def test_an_enquiry_opens_discovery(either_reader: PipelineReader, write: WriteMail) -> None:
    mail = write(
        "王总您好，\n我们想找一家公司做新品牌的包装设计，预算80-100万，可以聊聊吗？", "包装设计咨询", known_client=False
    )
    reading = either_reader.read(mail)
    assert reading.stage == "discovery"
    assert {"requirement", "question"} <= {sign.label for sign in reading.intents}
    assert reading.waiting_on == "us"
    assert [amount.value for amount in reading.amounts] == [800_000, 1_000_000]
    assert "包装设计" in reading.summary
    assert "您好" not in reading.summary


def test_traditional_chinese_is_read_like_simplified(reader: PipelineReader, write: WriteMail) -> None:
    history = (earlier("proposal"), earlier("agreement", day=10))
    simple = reader.read(write("合同已经双方盖章，扫描件见附件，请开定金发票。", "合同", history=history))
    traditional = reader.read(write("合同已經雙方蓋章，掃描件見附件，請開定金發票。", "合同", history=history))
    assert simple.stage == traditional.stage == "agreement"
    assert simple.stage_confidence == pytest.approx(traditional.stage_confidence, abs=0.02)


@pytest.mark.parametrize("stage", ["discovery", "proposal", "agreement", "execution"])
@pytest.mark.parametrize("words", ["ok thx", "收到", "👌"])
def test_terse_mail_takes_its_projects_stage(reader: PipelineReader, write: WriteMail, stage: str, words: str) -> None:
    assert reader.read(write(words, "Re: 关于周三", is_answer=True, history=walk_to(stage))).stage == stage


def test_a_plain_yes_to_the_contract_is_an_approval(reader: PipelineReader, write: WriteMail) -> None:
    history = (earlier("proposal", day=10), earlier("agreement", "outbound", "合同_终稿.pdf", day=25))
    reading = reader.read(write("合同没问题，同意签署，今天盖章寄回。", "回复：合同", is_answer=True, history=history))
    assert reading.approval == "contract"
    assert "同意" in reading.approval_evidence


@pytest.mark.parametrize(
    "words",
    [
        "可以，但是把第三页改了再走合同。",
        "Looks good in principle, but we can't sign until the price comes down.",
        "OK, Thursday 3pm works for the call.",
        "Not approved. Please rework the second route.",
    ],
)
def test_a_conditional_or_other_yes_is_none(either_reader: PipelineReader, write: WriteMail, words: str) -> None:
    history = (earlier("proposal", day=10), earlier("proposal", "outbound", "proposal.pdf", day=25))
    assert either_reader.read(write(words, "Re: proposal", is_answer=True, history=history)).approval == ""


def test_staff_never_approve(reader: PipelineReader, write: WriteMail) -> None:
    reading = reader.read(
        write("Approved, we sign the contract today.", direction="outbound", history=(earlier("agreement"),))
    )
    assert reading.approval == ""


def test_a_question_to_the_client_waits_for_the_client(either_reader: PipelineReader, write: WriteMail) -> None:
    mail = write(
        "Which of the two routes do you prefer, and who signs off?",
        direction="outbound",
        history=(earlier("proposal"),),
    )
    assert either_reader.read(mail).waiting_on == "client"


def test_a_vendors_offer_is_unrelated(either_reader: PipelineReader, write: WriteMail) -> None:
    words = "We supply LED screens to agencies at factory price. Book a demo or unsubscribe here."
    reading = either_reader.read(write(words, "Special offer: LED screens, 30% off", known_client=False))
    assert (reading.stage, reading.waiting_on, reading.approval) == ("unrelated", "nobody", "")


def test_machine_mail_belongs_to_no_stage(reader: PipelineReader, write: WriteMail) -> None:
    mail = write("合同已签，请启动项目。", automatic=True, history=(earlier("execution"),))
    assert reader.read(mail).stage == "unrelated"


def test_a_promise_is_kept_with_its_day(reader: PipelineReader, write: WriteMail) -> None:
    reading = reader.read(write("收到，下周三前给您第二版。", direction="outbound", history=(earlier("agreement"),)))
    assert [(item.by, item.due.isoformat()) for item in reading.commitments] == [("us", "2026-03-11")]


def test_prepared_together_or_alone_makes_no_difference(either_reader: PipelineReader, write: WriteMail) -> None:
    texts = [
        TextToRead(f"Subject {number}", words, "en")
        for number, words in enumerate(("Please sign.", "报价见附件。", ""))
    ]
    for text, prepared in zip(texts, either_reader.prepare(texts), strict=True):
        mail = write(text.text, text.subject)
        together, alone = either_reader.read(mail, prepared), either_reader.read(mail)
        assert together.stage == alone.stage
        assert together.stage_confidence == pytest.approx(alone.stage_confidence, abs=1e-3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=some.text(max_size=400),
    subject=some.text(max_size=80),
    direction=some.sampled_from(["inbound", "outbound", "internal"]),
)
def test_whatever_is_written_the_reading_keeps_its_promises(
    either_reader: PipelineReader, write: WriteMail, text: str, subject: str, direction: str
) -> None:
    reading = either_reader.read(write(text, subject, direction=direction))
    assert reading.stage in STAGE_LABELS
    assert sum(value for _, value in reading.stage_probabilities) == pytest.approx(1.0, abs=1e-3)
    assert reading.stage_probabilities[0][0] == reading.stage
    assert {sign.label for sign in reading.intents} <= set(INTENTS)
    assert reading.approval in ("", *APPROVALS)
    assert reading.waiting_on in WAITING_ON
    assert len(reading.summary) <= 120


def test_without_the_encoder_it_says_so(reader: PipelineReader, plain_reader: PipelineReader) -> None:
    assert (reader.mode, reader.notice) == ("encoder", "")
    assert plain_reader.mode == "n-grams"
    assert "less accurate" in plain_reader.notice


def test_reading_needs_no_training_library() -> None:
    script = (
        "import sys; from assistant.understanding import load_reader; from assistant.model.reading import TextToRead;"
        "load_reader('off').prepare([TextToRead('', '你好', 'zh')]);"
        "print([name for name in ('sklearn', 'scipy') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_a_correction_counts_at_once_for_nearly_the_same_text(write: WriteMail) -> None:
    reader = load_reader("off")
    mail = write("附上六月份直播间的排班表和主播名单，烦请过目。", "六月排班", history=(earlier("execution"),))
    before = reader.read(mail)
    wanted = "closing" if before.stage != "closing" else "proposal"
    corrected = Corrected("m1", TextToRead(mail.subject, mail.text, "zh-Hans"), "inbound", MONDAY, stage=wanted)
    reader.learn([corrected])
    assert reader.read(mail).stage == wanted
    assert reader.read(replace(mail, direction="outbound")).stage_probabilities is not None
    other = write("今天的拍摄因为下雨改到后天。", "拍摄", history=(earlier("execution"),))
    assert "memory" not in reader.read(other).model
    assert "memory" not in reader.read(replace(mail, direction="outbound")).model


def test_a_corrected_ok_teaches_nothing_about_other_oks(write: WriteMail) -> None:
    reader = load_reader("off")
    reader.learn([Corrected("m1", TextToRead("", "OK", "en"), "inbound", MONDAY, stage="closing")])
    assert "memory" not in reader.read(write("OK", history=(earlier("proposal"),))).model
