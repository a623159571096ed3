"""Weeks of an invented client, as facts: a full one in each language, an empty one, a huge one, one with long names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from assistant.reports.facts import (
    Candidate,
    DayCount,
    DueCommitment,
    FestivalAhead,
    Happening,
    MessageLink,
    OpenProblem,
    OpenQuestion,
    Person,
    PlannedStep,
    ProjectSummary,
    ResponseTimes,
    UnsureLabel,
    WeeklySummary,
)

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 3, 2)
SUNDAY = date(2026, 3, 8)
LANGUAGES = ("zh-Hans", "zh-Hant", "en")


def at(day: int, hour: int = 10, minute: int = 0, month: int = 3) -> datetime:
    """A moment of 2026 in the agency's zone."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@dataclass(frozen=True, slots=True)
class Texts:
    """Everything in a week that is written in a language."""

    client: str
    agency: str
    owner: str
    role: str
    lin: str
    zhao: str
    launch: str
    douyin: str
    packaging: str
    stage_execution: str
    stage_proposal: str
    stage_agreement: str
    draft_two: str
    key_visual: str
    quote: str
    brief: str
    date_question: str
    creators_question: str
    list_due: str
    licence_due: str
    resize_problem: str
    change: str
    call: str
    survey: str
    nudge: str
    phone_task: str
    lantern: str
    qingming: str
    unclear: str
    unclear_other: str


ZH_HANS = Texts(
    client="青禾乳业",
    agency="蓝海广告",
    owner="李雷",
    role="客户经理",
    lin="林晓芸",
    zhao="赵启明",
    launch="冬季新品上市",
    douyin="抖音达人种草",
    packaging="儿童奶酪包装升级",
    stage_execution="项目执行",
    stage_proposal="方案沟通",
    stage_agreement="方案确认",
    draft_two="主视觉第二稿",
    key_visual="主视觉方向（暖色版）",
    quote="调整后的报价与合同，请确认付款节点",
    brief="达人种草传播方案 V1",
    date_question="门店物料最晚哪天能到仓？我们要排配送",
    creators_question="第二批达人里能不能换掉两位重复的？",
    list_due="补一版 24 位达人的核价表",
    licence_due="提供质检报告扫描件",
    resize_problem="开屏图在部分机型上被裁掉了产品名",
    change="主视觉加一版横幅尺寸",
    call="3月5日线上过了主视觉，确定走暖色方向",
    survey="关于第二季度的想法",
    nudge="Re: 达人种草传播方案 V1",
    phone_task="给赵启明打电话，问包装合同卡在哪一步",
    lantern="元宵节",
    qingming="清明节",
    unclear="Fwd: 一些想法，你们看看",
    unclear_other="周五的会改到几点？",
)
ZH_HANT = Texts(
    client="青禾乳業",
    agency="藍海廣告",
    owner="李雷",
    role="客戶經理",
    lin="林曉芸",
    zhao="趙啟明",
    launch="冬季新品上市",
    douyin="抖音網紅口碑合作",
    packaging="兒童起司包裝升級",
    stage_execution="專案執行",
    stage_proposal="提案溝通",
    stage_agreement="提案確認",
    draft_two="主視覺第二版",
    key_visual="主視覺方向（暖色版）",
    quote="調整後的報價與合約，請確認付款時程",
    brief="網紅口碑傳播提案 V1",
    date_question="門市物料最晚哪天可以到倉？我們要安排配送",
    creators_question="第二批網紅可以換掉兩位重複的嗎？",
    list_due="補一份 24 位網紅的報價表",
    licence_due="提供品檢報告掃描檔",
    resize_problem="開屏圖在部分機型上被裁掉產品名稱",
    change="主視覺加做一版橫幅尺寸",
    call="3月5日線上確認主視覺，決定走暖色方向",
    survey="關於第二季的想法",
    nudge="Re: 網紅口碑傳播提案 V1",
    phone_task="打電話給趙啟明，了解包裝合約卡在哪一步",
    lantern="元宵節",
    qingming="清明節",
    unclear="Fwd: 一些想法，你們看看",
    unclear_other="週五的會議改到幾點？",
)
ENGLISH = Texts(
    client="Fennick Oats",
    agency="Blue Ocean Advertising",
    owner="Lei Li",
    role="Account Manager",
    lin="Grace Lindqvist",
    zhao="Tom Hallam",
    launch="Winter launch",
    douyin="Creator seeding",
    packaging="Kids range packaging",
    stage_execution="Execution",
    stage_proposal="Proposal",
    stage_agreement="Agreement",
    draft_two="key visual, second draft",
    key_visual="the key visual (warm route)",
    quote="Revised quote and contract: please confirm the payment dates",
    brief="Creator seeding: proposal V1",
    date_question="What is the latest day the shop material reaches the warehouse? We need to book the vans",
    creators_question="Could two of the creators in the second batch be swapped?",
    list_due="Send the priced list of 24 creators",
    licence_due="Send the scan of the quality certificate",
    resize_problem="The splash screen cuts off the product name on some phones",
    change="an extra banner size of the key visual",
    call="went through the key visual online on 5 March and chose the warm route",
    survey="Thoughts on the second quarter",
    nudge="Re: Creator seeding: proposal V1",
    phone_task="Call Tom Hallam and ask where the packaging contract is stuck",
    lantern="Lantern Festival",
    qingming="Qingming",
    unclear="Fwd: a few thoughts for you",
    unclear_other="What time is Friday's meeting now?",
)
TEXTS = {"zh-Hans": ZH_HANS, "zh-Hant": ZH_HANT, "en": ENGLISH}


def _id(number: int, domain: str = "qinghe-dairy.example") -> str:
    return f"20260302.{number}@{domain}"


def _projects(t: Texts) -> tuple[ProjectSummary, ...]:
    launch = ProjectSummary(
        name=t.launch,
        stage="execution",
        stage_name=t.stage_execution,
        business_days_in_stage=12,
        target_days=20,
        buffer_days=4,
        stage_since=date(2026, 2, 12),
        waiting_on="us",
        waiting_who=t.owner,
        waiting_for=t.date_question,
        waiting_since=date(2026, 3, 6),
        waiting_business_days=1,
        waiting_message=MessageLink(_id(7), t.launch, date(2026, 3, 6)),
        messages_received=7,
        messages_sent=5,
        open_questions=(OpenQuestion(t.date_question, "client", t.lin, date(2026, 3, 6), 1, _id(7)),),
        commitments=(
            DueCommitment(t.list_due, "us", t.owner, date(2026, 3, 6), -1, _id(4, "lanhai-ad.example")),
            DueCommitment(t.licence_due, "client", t.lin, date(2026, 3, 11), 2, _id(5)),
        ),
        problems=(OpenProblem(t.resize_problem, date(2026, 3, 5), 2, t.owner, _id(6)),),
        response_times=ResponseTimes(1.6, 5, 3.2, 4, 4.0),
    )
    douyin = ProjectSummary(
        name=t.douyin,
        stage="proposal",
        stage_name=t.stage_proposal,
        business_days_in_stage=5,
        target_days=8,
        buffer_days=2,
        stage_since=date(2026, 3, 2),
        waiting_on="client",
        waiting_who=t.lin,
        waiting_for=t.brief,
        waiting_since=date(2026, 3, 4),
        waiting_business_days=3,
        waiting_message=MessageLink(_id(3, "lanhai-ad.example"), t.brief, date(2026, 3, 4)),
        new=True,
        messages_received=3,
        messages_sent=4,
        open_questions=(OpenQuestion(t.creators_question, "us", t.owner, date(2026, 3, 4), 3, _id(8)),),
        next_steps=(PlannedStep(at(10, 10), "follow_up", t.nudge, t.lin, "veto", "proposal-unanswered"),),
        response_times=ResponseTimes(2.4, 3, 9.5, 2, 4.0),
    )
    packaging = ProjectSummary(
        name=t.packaging,
        stage="agreement",
        stage_name=t.stage_agreement,
        business_days_in_stage=14,
        target_days=8,
        buffer_days=3,
        stage_since=date(2026, 2, 10),
        waiting_on="client",
        waiting_who=t.zhao,
        waiting_for=t.quote,
        waiting_since=date(2026, 2, 26),
        waiting_business_days=7,
        waiting_message=MessageLink(_id(2, "lanhai-ad.example"), t.quote, date(2026, 2, 26)),
        messages_received=1,
        messages_sent=2,
        next_steps=(PlannedStep(at(11, 9, 30), "task", t.phone_task, t.owner, "now", "contract-unanswered"),),
        response_times=ResponseTimes(5.1, 1, 14.0, 1, 4.0),
    )
    return launch, douyin, packaging


def full_week(language: str = "zh-Hans") -> WeeklySummary:
    """Three projects in three stages, with something of everything."""
    t = TEXTS[language]
    happened = (
        Happening(at(2, 9, 40), "stage", t.stage_proposal, project=t.douyin),
        Happening(at(3, 9), "greeting", t.lantern, who=t.lin),
        Happening(at(4, 15, 20), "deliverable", t.brief, who=t.owner, project=t.douyin, message_id=_id(3)),
        Happening(at(5, 10), "meeting", t.call, project=t.launch),
        Happening(at(5, 16, 5), "sign_off", t.key_visual, who=t.lin, project=t.launch, message_id=_id(6)),
        Happening(at(5, 17, 30), "change_request", t.change, who=t.lin, project=t.launch, message_id=_id(9)),
        Happening(at(6, 10), "follow_up", t.quote, who=t.zhao, project=t.packaging, message_id=_id(2)),
    )
    counts = ((3, 2), (1, 2), (2, 3), (4, 2), (1, 2), (0, 0), (0, 0))
    return WeeklySummary(
        client=t.client,
        agency=t.agency,
        owner=Person(t.owner, "lilei@lanhai-ad.example", t.role),
        language=language,
        period_from=MONDAY,
        period_to=SUNDAY,
        generated_at=at(9, 8, 30),
        happened=happened,
        projects=_projects(t),
        unsure=(
            UnsureLabel(
                MessageLink(_id(11), t.unclear, date(2026, 3, 5)),
                t.lin,
                "project",
                (Candidate("douyin", t.douyin, 0.48), Candidate("launch", t.launch, 0.37)),
                "assistant message correct 128 --project",
            ),
            UnsureLabel(
                MessageLink(_id(12), t.unclear_other, date(2026, 3, 6)),
                t.zhao,
                "stage",
                (Candidate("agreement", t.stage_agreement, 0.44), Candidate("execution", t.stage_execution, 0.41)),
                "assistant message correct 131 --stage",
            ),
        ),
        festivals_next=(FestivalAhead(t.qingming, date(2026, 4, 5), None, (), date(2026, 4, 4), date(2026, 4, 6)),),
        response_times=ResponseTimes(1.8, 9, 6.4, 7, 4.0),
        response_times_before=ResponseTimes(2.6, 11, 7.0, 5, 4.0),
        messages_by_day=tuple(
            DayCount(MONDAY + timedelta(days=n), received, sent) for n, (received, sent) in enumerate(counts)
        ),
        greetings_next=(PlannedStep(at(20, 9), "task", t.survey, t.owner),),
    )


def empty_week(language: str = "zh-Hans") -> WeeklySummary:
    """A client without projects, without mail."""
    full = full_week(language)
    return WeeklySummary(
        client=full.client,
        agency=full.agency,
        owner=full.owner,
        language=language,
        period_from=MONDAY,
        period_to=SUNDAY,
        generated_at=full.generated_at,
        messages_by_day=tuple(DayCount(MONDAY + timedelta(days=n), 0, 0) for n in range(7)),
    )


def huge_week(language: str = "zh-Hans", times: int = 40) -> WeeklySummary:
    """Far more of everything than anybody reads."""
    full = full_week(language)
    projects = tuple(
        replace(
            project,
            name=f"{project.name} {n}",
            open_questions=project.open_questions * times,
            commitments=project.commitments * times,
            problems=project.problems * times,
            next_steps=project.next_steps * times,
            waiting_for=project.waiting_for * times,
        )
        for n in range(times)
        for project in full.projects
    )
    return replace(
        full,
        happened=full.happened * times,
        projects=projects,
        unsure=full.unsure * times,
        festivals_next=full.festivals_next * times,
        greetings_next=full.greetings_next * times,
        messages_by_day=tuple(replace(day, received=day.received * 997) for day in full.messages_by_day),
    )


def week_with_long_names(language: str = "zh-Hans") -> WeeklySummary:
    """Names and lines as long as people sometimes make them."""
    full = full_week(language)
    long = (
        "Ostholsteinische Milchverwertungsgenossenschaft"
        if language == "en"
        else "内蒙古青禾生态牧业发展集团股份有限公司北京分公司"
    )
    return replace(
        full,
        client=long * 2,
        agency=long,
        projects=tuple(
            replace(p, name=f"{long}{p.name}", waiting_who=long, waiting_for=p.waiting_for * 4) for p in full.projects
        ),
        happened=tuple(replace(item, what=item.what * 6, who=long, project=long) for item in full.happened),
    )
