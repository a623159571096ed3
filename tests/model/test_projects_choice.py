"""Which project a new thread joins, and when it begins one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.model.projects import NewThread, ProjectCandidate, choose_project, words_of

SPRING = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
ASSISTANT = "assistant@lanhai.example"
LILEI = "lilei@lanhai.example"
HAN = "han@lanhai.example"
CHEN = "chen@mingshan.example"
WANG = "wang@mingshan.example"


def project(
    number: int,
    mails: Sequence[tuple[str, str]],
    *,
    people: Sequence[str] = (CHEN, LILEI),
    stage: str = "execution",
    state: str = "running",
    last_at: datetime = SPRING,
    quoted: bool = False,
) -> ProjectCandidate:
    """A project of (subject, text) mails in which all of `people` and the assistant took part."""
    words: Counter[str] = Counter()
    for subject, text in mails:
        words.update(words_of(f"{subject}\n{text}"))
    return ProjectCandidate(
        number,
        tuple(dict.fromkeys(subject for subject, _ in mails)),
        frozenset(people),
        stage,
        state,
        last_at,
        last_at - timedelta(days=90),
        words,
        Counter(dict.fromkeys((*people, ASSISTANT), len(mails))),
        len(mails),
        quoted,
    )


def thread(
    subject: str,
    text: str = "",
    *,
    stage: str = "execution",
    writer: str = CHEN,
    others: Sequence[str] = (LILEI,),
    days: float = 3,
    is_answer: bool = False,
) -> NewThread:
    return NewThread(
        subject,
        text,
        frozenset((writer, *others, ASSISTANT)),
        SPRING + timedelta(days=days),
        ((stage, 0.9), ("relationship", 0.1)),
        writer not in {LILEI, HAN},
        is_answer,
        "",
        writer,
    )


FILM = [("Launch film", "the camera crew and the script"), ("Rough cut", "the film is too long"), ("Casting", "actors")]
STAND = [
    ("Trade fair stand", "carpet, hall plan and forklift"),
    ("Stand drawing", "the hall wants it"),
    ("Power", "sockets"),
]
包装 = [("酸奶换包装", "瓶贴的颜色太深，刀模改一下"), ("打样", "瓶贴打样收到"), ("刀模", "印刷限制见附件")]
发布会 = [("发布会场地", "草料仓能坐一百六十人"), ("嘉宾", "经销商名单"), ("流程", "发布会当天的流程")]


def test_the_first_mail_of_a_client_begins_a_project() -> None:
    assert choose_project(thread("Hello"), []).project_id is None


def test_a_thread_without_a_word_in_common_still_joins_the_only_project() -> None:
    choice = choose_project(thread("tomorrow", "the ladder is in the van"), [project(1, FILM)])
    assert choice.project_id == 1
    assert choice.confidence >= 0.8


@pytest.mark.parametrize(
    ("mail", "wanted"),
    [
        (thread("Second cut", "the film and the actors are better now"), 1),
        (thread("Forklift", "when does the hall open for the carpet"), 2),
    ],
)
def test_parallel_projects_of_the_same_people_are_told_apart_by_their_words(mail: NewThread, wanted: int) -> None:
    choice = choose_project(mail, [project(1, FILM), project(2, STAND)])
    assert choice.project_id == wanted
    assert choice.evidence


@pytest.mark.parametrize(
    ("mail", "wanted"),
    [(thread("瓶贴第二版", "颜色还是深，刀模没问题"), 1), (thread("名单", "经销商多了三位，草料仓坐得下吗"), 2)],
)
def test_parallel_projects_in_chinese_are_told_apart_too(mail: NewThread, wanted: int) -> None:
    assert choose_project(mail, [project(1, 包装), project(2, 发布会)]).project_id == wanted


def test_people_decide_where_words_do_not() -> None:
    candidates = [project(1, FILM, people=(CHEN, LILEI)), project(2, STAND, people=(WANG, HAN))]
    assert choose_project(thread("ok", "👌", writer=WANG, others=(HAN,)), candidates).project_id == 2


def test_when_nothing_decides_the_confidence_is_low() -> None:
    choice = choose_project(thread("ok", "👌"), [project(1, FILM), project(2, STAND)])
    assert choice.confidence <= 0.5


def test_an_answer_whose_references_got_lost_finds_its_subject() -> None:
    candidates = [project(1, FILM), project(2, STAND)]
    choice = choose_project(thread("power", "the film people need it", days=20, is_answer=True), candidates)
    assert choice.project_id == 2
    assert choice.confidence >= 0.9


def test_a_quoted_mail_is_the_strongest_evidence() -> None:
    candidates = [project(1, FILM), project(2, STAND, quoted=True)]
    choice = choose_project(thread("Launch film", "see below", stage="discovery"), candidates)
    assert (choice.project_id, choice.confidence) == (2, 0.95)


@pytest.mark.parametrize("stage", ["closing", "relationship"])
def test_an_enquiry_after_the_end_begins_a_new_project(stage: str) -> None:
    enquiry = thread("Winter campaign", "We have a budget and need posters by November.", stage="discovery", days=60)
    assert choose_project(enquiry, [project(1, FILM, stage=stage)]).project_id is None


def test_an_enquiry_after_a_lost_pitch_begins_a_new_project() -> None:
    enquiry = thread("Lanterns", "This time we have money.", stage="discovery", days=60)
    assert choose_project(enquiry, [project(1, FILM, stage="proposal", state="lost")]).project_id is None


def test_a_greeting_after_the_end_begins_none() -> None:
    assert (
        choose_project(
            thread("新年好", "祝大家新年快乐", stage="relationship"), [project(1, FILM, stage="closing")]
        ).project_id
        == 1
    )


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Another thing", "Please keep this separate from the film: a shop window for our dealers, 20k."),
        ("除了包装，还想办个会", "四月想开个发布会，预算两百上下"),
        ("另一个小东西", "想做个H5，八到十万"),
    ],
)
def test_an_enquiry_that_says_it_is_another_begins_one_beside_a_running_project(subject: str, text: str) -> None:
    for stage in ("agreement", "execution"):
        choice = choose_project(thread(subject, text, stage="discovery"), [project(1, FILM, stage=stage)])
        assert choice.project_id is None
        assert choice.confidence >= 0.5


def test_the_agencys_summary_of_an_enquiry_belongs_to_the_enquiry() -> None:
    summary = thread(
        "Scope as we understand it", "You asked for posters.", stage="discovery", writer=LILEI, others=(CHEN,)
    )
    assert choose_project(summary, [project(1, FILM, stage="discovery")]).project_id == 1


def test_an_early_enquiry_that_arrives_late_joins_the_project_it_began() -> None:
    late = thread("Enquiry", "we would like a film", stage="discovery", days=-100)
    assert choose_project(late, [project(1, FILM, stage="closing")]).project_id == 1


@given(
    st.permutations([project(1, FILM), project(2, STAND), project(3, 包装)]),
    st.sampled_from(["film", "hall", "瓶贴", "?"]),
)
def test_the_choice_does_not_depend_on_the_order_of_the_projects(candidates: list[ProjectCandidate], word: str) -> None:
    mail = thread(word, word)
    assert choose_project(mail, candidates) == choose_project(mail, list(reversed(candidates)))


@given(st.text(max_size=80), st.text(max_size=300), st.sampled_from(["discovery", "execution", "unrelated"]))
def test_confidence_is_a_probability_and_evidence_is_said(subject: str, text: str, stage: str) -> None:
    choice = choose_project(thread(subject, text, stage=stage), [project(1, FILM), project(2, 包装)])
    assert 0.0 <= choice.confidence <= 1.0
    assert choice.evidence
