"""The tables that a rule file may hold, with every key explained in both languages."""

from __future__ import annotations

from typing import Final

from assistant.cadence import rulefile as kinds
from assistant.cadence.rulefile import Key, Table

MATCH_KEYS: Final = (
    Key("stage", kinds.STAGE_MANY, "The project's stage.", "项目所处阶段。", example='"proposal"'),
    Key("waiting_on", kinds.WAITING, "Who is expected to act.", "目前在等谁。", example='"client"'),
    Key("intent", kinds.INTENT, "What the waited-on message is about.", "被等待的那封邮件的意图。", example='"contract"'),
    Key("client", kinds.TEXTS, "The client's name, exactly.", "客户名称，须完全一致。", example='"云杉茶业"'),
    Key("tag", kinds.TEXTS, "A tag of the project, the client or the contact.", "项目、客户或联系人的标签。", example='"vip"'),
    Key("country", kinds.COUNTRY_MANY, "The contact's country, else the client's.", "联系人所在国家，未填则取客户的。", example='["CN", "HK"]'),
    Key("language", kinds.LANGUAGE, "The contact's language, else the client's.", "联系人的语言，未填则取客户的。", example='"en"'),
    Key("owner", kinds.TEXTS, "Address or name of the responsible colleague.", "负责同事的邮箱或姓名。", example='"lilei@lanhai-ad.example"'),
    Key("relationship", kinds.RELATIONSHIP, "`prospect`: nothing won yet; `active`: a project runs; `past`: all projects are over.", "`prospect` 尚未成交，`active` 项目进行中，`past` 项目均已结束。", example='["active", "past"]'),
    Key("value", kinds.COMPARISON, "Worth of the project, compared; a project without a value never matches.", "项目金额条件；未填金额的项目不匹配。", example='">= 100000"'),
)  # fmt: skip

MATCH: Final = Table(
    "when and unless",
    "Which projects (greetings, summaries: clients) a rule is for. Keys are joined by *and*, several values of one key by *or*; `unless` excludes whatever it matches.",
    "规则适用的项目（问候与周报则为客户）。不同键之间为“且”，同一键的多个值之间为“或”；`unless` 排除其所匹配者。",
    MATCH_KEYS,
)

STEP: Final = Table(
    "cadence.step",
    "One step: exactly one of `send` and `task`.",
    "一个步骤：`send` 与 `task` 二选一。",
    (
        Key("after", kinds.DURATION, "How long after the anchor. Business days and hours are the client's. Steps stand in the order of time.", "距锚点多久。工作日、工作小时按客户日历计算；步骤须按时间先后排列。", required=True, example='"3 business days"'),
        Key("at", kinds.TIME, "Local time of the contact; for steps counted in days.", "联系人当地时间，仅用于按天计的步骤。", default='"10:00"', example='"10:00"'),
        Key("send", kinds.TEMPLATE, "The template of the mail to the contact who is waited on.", "发给被等待联系人的模板。", example='"followups/proposal-nudge-1"'),
        Key("task", kinds.TEXT, "Words of a task for a colleague; may use `{{ contact.name }}`, `{{ project.name }}`, `{{ client.name }}`, `{{ owner.name }}`, `{{ waited.subject }}`, `{{ waited.sent_on }}`.", "给同事的待办文字，可用变量同左。", example='"Call {{ contact.name }}"'),
        Key("to", kinds.PERSON, "Who gets the task: `owner`, a role, or an address.", "待办交给谁：`owner`、角色或邮箱。", default='"owner"', example='"account"'),
        Key("cc", kinds.PEOPLE, "Colleagues in Cc of the mail.", "邮件抄送的同事。", example='["owner"]'),
        Key("release", kinds.RELEASE, "Who lets the mail go: `now`; `veto 4h` (the owner is told when the step falls due and the mail leaves that much later unless stopped); `approval`; `draft` (put into the mailbox's Drafts, removed if the client answers first).", "由谁放行：`now` 直接发；`veto 4h` 到点先告知负责人，无人阻止则延后该时长发出；`approval` 须批准；`draft` 存入草稿箱，客户先回复则撤下。", default='"now"', example='"veto 4h"'),
        Key("days", kinds.DAYS, "On which days it may leave: when client and agency both work, or when the client does.", "哪些天可发：双方都上班，或仅看客户。", default='"both"', example='"client"'),
    ),
)  # fmt: skip

CADENCE: Final = Table(
    "cadence",
    "A cadence follows a message that waits for an answer (or a silence) with steps, until something ends the waiting. These end or pause every cadence, listed or not: a reply by anyone of that client in that project, a meeting agreed, staff writing themselves, a stage change, a hand-over, a bounce, an opt-out, an open complaint, a paused project, an absence, the client's holidays.",
    "节奏：在等待答复的邮件（或一段沉默）之后按步骤跟进，直到等待结束。以下情况无论是否列出都会停止或暂停：该客户任何人在该项目中回复、约定会议、同事自行去信、阶段变化、交接、退信、退订、投诉未解决、项目暂停、休假自动回复、客户方节假日。",
    (
        Key("name", kinds.NAME, "Unique; stored with everything the cadence does.", "唯一；随其每个动作保存。", required=True, example='"proposal-unanswered"'),
        Key("why", kinds.TEXT, "The reason, for colleagues.", "给同事看的缘由。", example='"Two polite nudges, then a call."'),
        Key("when", MATCH, "Which projects.", "适用哪些项目。", example='{ stage = "proposal", waiting_on = "client" }'),
        Key("unless", MATCH, "Which of them not.", "其中哪些除外。", example='{ tag = "vip" }'),
        Key("anchor", kinds.ANCHOR, "What the time runs from: the message that waits for the client, or the last contact in either direction.", "从何时起算：等待客户的那封邮件，或双方最后一次联系。", default='"waited"', example='"last-contact"'),
        Key("stop", kinds.STOP, "What ends it. All of these always do unless `ignore` names them; listing them tells the reader.", "何事终止；除非写入 `ignore`，均始终有效，列出以便阅读。", default="all", example='["reply", "stage-change"]', may_be_empty=True),
        Key("ignore", kinds.IGNORE, "What shall not end it.", "哪些事不终止它。", default="[]", example='["meeting"]', may_be_empty=True),
        Key("pause", kinds.PAUSE, "What pauses it. All of these always do. An out-of-office pauses until the return date plus one business day.", "何事暂停；均始终有效。休假自动回复暂停至返岗日后一个工作日。", default="all", example='["absence", "holiday"]', may_be_empty=True),
        Key("apply", kinds.APPLY, "Whether an edit counts for runs that have begun: `new` leaves them on the version they began with.", "修改是否影响进行中的节奏：`new` 不影响。", default='"new"', example='"running"'),
        Key("importance", kinds.IMPORTANCE, "Which mail wins when a contact may get only one.", "同一联系人只能收一封时谁优先。", default="50", example="70"),
        Key("cap", kinds.CAP, "At most this many mails a run.", "每次运行最多几封邮件。", default="3", example="2"),
        Key("step", STEP, "The steps.", "步骤。", required=True, array=True),
    ),
)  # fmt: skip

GREETING: Final = Table(
    "greeting",
    "A greeting to the contacts of a client. One per person and festival; none during a complaint, after an opt-out, to people who are away, or for a while after a lost pitch. Without `when.country` it goes where the festival is kept.",
    "问候客户联系人。每人每节一封；投诉期间、退订后、休假中、落选后一段时间内不发。未写 `when.country` 时发往过该节的国家和地区。",
    (
        Key("name", kinds.NAME, "Unique.", "唯一。", required=True, example='"spring-festival"'),
        Key("why", kinds.TEXT, "The reason, for colleagues.", "给同事看的缘由。"),
        Key("festival", kinds.FESTIVAL, "Which festival; `birthday` and `anniversary` come from the contact.", "哪个节日；`birthday`、`anniversary` 取自联系人。", required=True, example='"mid-autumn"'),
        Key("when", MATCH, "Which clients.", "哪些客户。", example='{ relationship = ["active", "past"] }'),
        Key("unless", MATCH, "Which of them not.", "其中哪些除外。", example='{ tag = "no-greetings" }'),
        Key("days_before", kinds.DAYS_BEFORE, "Days before the festival; moved back to the client's last working day.", "提前几天；遇非工作日前移到客户的上一个工作日。", default="0", example="1"),
        Key("at", kinds.TIME, "Local time of the contact.", "联系人当地时间。", default='"09:30"', example='"09:30"'),
        Key("send", kinds.TEMPLATE, "The template.", "模板。", required=True, example='"greetings/mid-autumn"'),
        Key("cc", kinds.PEOPLE, "Colleagues in Cc.", "抄送的同事。", example='"owner"'),
        Key("release", kinds.RELEASE, "As for steps.", "同步骤。", default='"now"', example='"veto 24h"'),
        Key("on_holiday", kinds.FLAG, "Send on the day itself even if the client does not work.", "即使客户放假也当天发出。", default="false", example="true"),
        Key("importance", kinds.IMPORTANCE, "Against other mails to the same person; a follow-up can wait, a festival cannot.", "与其他邮件相比的优先级；跟进可以等，节日不等人。", default="75", example="75"),
    ),
)  # fmt: skip

REMINDER: Final = Table(
    "reminder",
    "A reminder to colleagues, never to clients. Bundled into one mail a morning per person; urgent ones leave at once in business hours.",
    "提醒同事（绝不发给客户）。每人每天早晨合并为一封；紧急者在工作时间立即发出。",
    (
        Key("name", kinds.NAME, "Unique.", "唯一。", required=True, example='"unanswered"'),
        Key("why", kinds.TEXT, "The reason, for colleagues.", "给同事看的缘由。"),
        Key("about", kinds.ABOUT, "What is watched.", "关注什么。", required=True, example='"question"'),
        Key("when", MATCH, "Which projects or clients.", "哪些项目或客户。"),
        Key("unless", MATCH, "Which of them not.", "其中哪些除外。"),
        Key("promise", kinds.DURATION, "`question`: the answer time promised to clients.", "`question`：承诺的答复时限。", default='"8 business hours"', example='"8 business hours"'),
        Key("before", kinds.DURATION, "`question`: warn this much before the promised time.", "`question`：在时限前多久提醒。", default='"2 business hours"', example='"2 business hours"'),
        Key("escalate_after", kinds.DURATION, "`question`: tell `escalate_to` this long after the promised time.", "`question`：超时多久后上报。", example='"4 business hours"'),
        Key("escalate_to", kinds.PERSON, "`question`: who is told next.", "`question`：上报给谁。", example='"director"'),
        Key("after", kinds.DURATION, "`no-contact`: this long without a word. `waiting`: this long in the outbox.", "`no-contact`：多久没有联系；`waiting`：在发件箱等了多久。", default='"4 weeks"', example='"4 weeks"'),
        Key("days_before", kinds.DAYS_BEFORE, "`commitment`, `birthday`: days before the date.", "`commitment`、`birthday`：提前几天。", default="1", example="2"),
        Key("to", kinds.PERSON, "Who is reminded: `owner`, a role, or an address.", "提醒谁。", default='"owner"', example='"project"'),
        Key("urgent", kinds.FLAG, "At once instead of next morning.", "立即提醒而非次日早晨。", default="false", example="true"),
        Key("at", kinds.TIME, "Time of the morning mail, in the colleague's zone.", "早晨邮件的时间（同事当地）。", default='"08:30"', example='"08:30"'),
    ),
)  # fmt: skip

SUMMARY: Final = Table(
    "summary",
    "The weekly summary per client, to colleagues.",
    "每个客户的周报，发给同事。",
    (
        Key("name", kinds.NAME, "Unique.", "唯一。", required=True, example='"weekly"'),
        Key("why", kinds.TEXT, "The reason, for colleagues.", "给同事看的缘由。"),
        Key("when", MATCH, "Which clients.", "哪些客户。"),
        Key("unless", MATCH, "Which of them not.", "其中哪些除外。"),
        Key("weekday", kinds.WEEKDAY, "Which day, in the agency's zone.", "周几（按公司时区）。", default='"friday"', example='"friday"'),
        Key("at", kinds.TIME, "At what time.", "几点。", default='"17:00"', example='"17:00"'),
        Key("to", kinds.PEOPLE, "Who gets it: `owner`, roles, addresses.", "发给谁：`owner`、角色或邮箱。", default='["owner"]', example='["owner", "account"]'),
        Key("when_empty", kinds.EMPTY, "When nothing happened: nothing, or a short mail.", "本周无事时：不发，或发简版。", default='"short"', example='"skip"'),
    ),
)  # fmt: skip

STAGE: Final = Table(
    "stage",
    "One stage of the process: what it is called, who is responsible, how long it may take.",
    "流程的一个阶段：名称、负责人、时限。",
    (
        Key("id", kinds.STAGE, "Which stage.", "哪个阶段。", required=True, example='"proposal"'),
        Key("name", kinds.LOCALIZED, "What people call it.", "名称。", required=True, example='{ zh = "方案策划与方案沟通", en = "Proposal" }'),
        Key("responsible", kinds.TEXTS, "Roles, first the one who answers for it.", "负责角色，首位为主责。", example='["strategy", "creative"]'),
        Key("target", kinds.DURATION, "How long it may take, in business days.", "目标时长（工作日）。", example='"10 business days"'),
        Key("buffer", kinds.DURATION, "How much more before anyone is reminded.", "超出多久才提醒。", default='"0 business days"', example='"2 business days"'),
        Key("sign_off", kinds.SIGN_OFF, "What the client approves before the next stage begins.", "进入下一阶段前客户须确认什么。", example='"requirements"'),
        Key("checklist", kinds.LOCALIZED_LISTS, "The operating standard.", "操作标准。", example='{ zh = ["会议纪要当天发出"] }'),
        Key("documents", kinds.LOCALIZED_LISTS, "Documents of the stage.", "本阶段文档。", example='{ zh = ["需求确认表"] }'),
    ),
)  # fmt: skip

RESTRAINT: Final = Table(
    "restraint",
    "What holds over all rules. Once in all files.",
    "对所有规则生效的克制。所有文件中只写一次。",
    (
        Key("per_contact", kinds.DURATION, "At most one automatic mail to a person in this time, over all projects and rules.", "同一人在此期间最多收到一封自动邮件（跨项目、跨规则）。", default='"2 business days"', example='"2 business days"'),
        Key("quiet_hours", kinds.SPAN, "When nothing leaves, in the contact's local time.", "免打扰时段（联系人当地时间）。", default='"20:00-08:30"', example='"20:00-08:30"'),
        Key("late", kinds.DURATION, "A follow-up that is later than this, for example after downtime, asks the owner instead of being sent.", "迟于此（例如停机之后）的跟进不再自动发，改为询问负责人。", default='"2 business days"', example='"2 business days"'),
        Key("absence", kinds.DURATION, "How long an out-of-office without a return date pauses.", "未写返岗日的自动回复暂停多久。", default='"5 business days"', example='"5 business days"'),
        Key("after_lost_pitch", kinds.DURATION, "No greeting for this long after a lost pitch.", "落选后多久不发问候。", default='"60 days"', example='"60 days"'),
    ),
)  # fmt: skip

CALENDAR: Final = Table(
    "calendar",
    "Days and hours that the agency knows better than the published tables: exactly one of `country`, `client` and `agency`.",
    "比公开日历更准确的日期与工时：`country`、`client`、`agency` 三选一。",
    (
        Key("country", kinds.COUNTRY, "For everybody in a country.", "某国家或地区所有人。", example='"CN"'),
        Key("client", kinds.TEXT, "For one client, by name.", "某个客户（名称）。", example='"云杉茶业"'),
        Key("agency", kinds.FLAG, "For the agency itself.", "公司自己。", example="true"),
        Key("off", kinds.DATES, "Days off.", "放假的日子。", example='["2027-02-05..2027-02-11"]'),
        Key("on", kinds.DATES, "Days worked.", "上班的日子。", example="[2027-02-13]"),
        Key("years", kinds.YEARS, "Years that these dates complete: no longer provisional.", "已据此补全、不再是“暂定”的年份。", example="[2027]"),
        Key("hours", kinds.SPAN, "Office hours.", "工作时间。", default='"09:00-18:00"', example='"09:30-18:30"'),
        Key("lunch", kinds.SPAN, "Lunch break.", "午休。", default='"12:00-13:00"', example='"12:00-13:30"'),
        Key("why", kinds.TEXT, "Name of the days.", "这些日子的名称。", example='"年会"'),
    ),
)  # fmt: skip

FILE: Final = Table(
    "a rule file",
    "TOML in UTF-8. Every file may hold any of the tables below; one idea a file reads best.",
    "UTF-8 编码的 TOML。每个文件可包含下列任何表；一个文件写一件事最好读。",
    (
        Key("schema", kinds.VERSION, "The version of this language.", "本规则语言的版本。", required=True, example="1"),
        Key("cadence", CADENCE, "Follow-ups.", "跟进。", array=True),
        Key("greeting", GREETING, "Greetings.", "问候。", array=True),
        Key("reminder", REMINDER, "Reminders to staff.", "提醒同事。", array=True),
        Key("summary", SUMMARY, "Weekly summaries.", "周报。", array=True),
        Key("stage", STAGE, "The process.", "流程。", array=True),
        Key("restraint", RESTRAINT, "What holds over all rules.", "总体克制。"),
        Key("calendar", CALENDAR, "Days that are known better.", "更准确的日历。", array=True),
    ),
)
