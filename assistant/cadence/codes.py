"""Every code that checking rule files can give, explained in both languages. Codes are never reused."""

from __future__ import annotations

from typing import Final, NamedTuple


class Code(NamedTuple):
    """What the code means and what to do, and whether it is only a warning."""

    en: str
    zh: str
    warning: bool = False


CODES: Final[dict[str, Code]] = {
    "R001": Code("The file is not TOML: a quote, bracket or equals sign is missing, or a key stands twice.", "不是合法的 TOML：缺引号、括号或等号，或同一键写了两次。"),
    "R002": Code("The file or folder cannot be read, or is not UTF-8.", "文件或文件夹无法读取，或不是 UTF-8。"),
    "R003": Code("`schema` names a version of the language that is not known.", "`schema` 版本未知。"),
    "R004": Code("There is no such key in this table.", "此表没有这个键。"),
    "R005": Code("A key that is needed is missing.", "缺少必需的键。"),
    "R006": Code("The value is of another type: a text needs quotes, a table its own header.", "值的类型不对：文字要加引号，表要有表头。"),
    "R007": Code("The value is none of those that there are.", "值不在可选范围内。"),
    "R008": Code("A text or list is empty.", "文字或列表为空。"),
    "R009": Code("There is no such table in a rule file.", "规则文件没有这个表。"),
    "R010": Code("Two rules have the same name, or two tables the same stage. Names are unique over all files.", "规则重名（所有文件内须唯一），或阶段重复。"),
    "R011": Code("A name is too long or has blanks at its ends.", "名称过长或首尾有空格。"),
    "R012": Code("There is no template of this name.", "没有这个模板。"),
    "R013": Code("There is no stage of this id.", "没有这个阶段。"),
    "R014": Code("There is no intent of this id.", "没有这个意图。"),
    "R015": Code("There is no festival of this id.", "没有这个节日。"),
    "R016": Code("This is no duration, or it is in a unit that makes no sense here.", "不是时长，或单位在此不适用。"),
    "R017": Code("This is no time of day or span of time.", "不是时刻或时段。"),
    "R018": Code("This is no way to release a mail.", "不是放行方式。"),
    "R019": Code("A step has neither `send` nor `task`, or both.", "步骤须且只能有 `send` 或 `task` 之一。"),
    "R020": Code("A step is due before the one above it.", "步骤早于上一步。"),
    "R022": Code("There is no country of this code (ISO 3166, two letters).", "没有这个国家或地区代码（ISO 3166 两位字母）。"),
    "R024": Code("This is no comparison of a value.", "不是金额条件。"),
    "R025": Code("There is no event or reason of this name to stop, pause or ignore.", "没有这个停止、暂停或忽略的事由。"),
    "R026": Code("`waiting_on` is client, us or nobody.", "`waiting_on` 只能是 client、us 或 nobody。"),
    "R027": Code("There is no such weekday.", "没有这个星期。"),
    "R028": Code("There is no such language: zh-Hans (or zh), zh-Hant, en.", "没有这个语言：zh-Hans（或 zh）、zh-Hant、en。"),
    "R029": Code("This is no date, or a span of dates that ends before it begins.", "不是日期，或日期段首尾颠倒。"),
    "R030": Code("The number is too small or too large.", "数字超出范围。"),
    "R031": Code("The words of a task use a name that there is not, or cannot be read as a template.", "待办文字用了不存在的变量，或模板语法有误。"),
    "R032": Code("There is no such time zone (IANA name).", "没有这个时区（IANA 名称）。"),
    "R033": Code("The key does not go with what stands beside it.", "该键与旁边的内容不能同用。"),
    "R034": Code("This is no address.", "不是邮箱地址。"),
    "R035": Code("The template is made for another kind of mail and would lack what it names.", "模板用于另一类邮件，会缺少所需内容。"),
    "R036": Code("[restraint] stands in two files.", "[restraint] 出现在两个文件中。"),
    "R038": Code("A calendar is for exactly one of country, client and agency.", "日历须且只能指定 country、client、agency 之一。"),
    "R039": Code("A date is both on and off.", "同一天既放假又上班。"),
    "R041": Code("An event is both in `stop` and in `ignore`.", "同一事由既在 `stop` 又在 `ignore`。"),
    "R050": Code("The rule can never match.", "该规则永远不会匹配。", warning=True),
    "R051": Code("Two rules are for exactly the same; both would start.", "两条规则条件完全相同，会同时启动。", warning=True),
    "R052": Code("`cap` is smaller than the number of mails.", "`cap` 小于邮件步骤数。", warning=True),
    "R054": Code("The festival is not usually kept in a country that is named.", "所写国家或地区通常不过该节。", warning=True),
    "R056": Code("Two mails of a cadence are closer than `per_contact` allows; the second is put off.", "两封邮件间隔小于 `per_contact`，后一封会顺延。", warning=True),
    "R057": Code("The time lies within the quiet hours.", "时刻落在免打扰时段内。", warning=True),
    "R059": Code("The key has no effect on a reminder about this.", "该键对此类提醒无效。", warning=True),
    "R060": Code("Nobody in `[[staff]]` has the role.", "`[[staff]]` 中没有人有此角色。", warning=True),
    "R071": Code("Test files: nothing happens, nothing is expected, or a rule is named that there is not.", "测试文件：无事发生、未写期望，或规则不存在。"),
    "R072": Code("Test files: this is no moment.", "测试文件：不是时间点。"),
}  # fmt: skip
