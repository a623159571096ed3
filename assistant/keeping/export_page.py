"""The page that opens an export: projects, what was approved, and the whole correspondence, in the client's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Final
from urllib.parse import quote

from assistant.rendering.filters import plural


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it was called, where it lies in the zip, and its size in bytes."""

    name: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class PageMail:
    """One message; `theirs`: from the client."""

    at: datetime
    sender: str
    theirs: bool
    subject: str
    project: str
    text: str
    files: Sequence[PageFile]


@dataclass(frozen=True, slots=True)
class PageProject:
    """A project with its present stage and how it came there."""

    name: str
    stage: str
    steps: Sequence[tuple[date, str]]


@dataclass(frozen=True, slots=True)
class PageSignOff:
    """What was approved, by whom, in which words."""

    on: date
    what: str
    by: str
    project: str
    words: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page shows; times are the agency's local ones."""

    client: str
    agency: str
    language: str
    made_at: datetime
    projects: Sequence[PageProject]
    sign_offs: Sequence[PageSignOff]
    mails: Sequence[PageMail]


_ENGLISH: Final = {
    "title": "Our correspondence with {client}",
    "lead": "Put together by {agency} on {day}: {mails}, {projects}, {files}.",
    "n mails": "1 message | {n} messages",
    "n projects": "1 project | {n} projects",
    "n files": "1 file | {n} files",
    "none": "There is no correspondence yet.",
    "projects": "Projects",
    "approved": "What was approved",
    "mails": "Correspondence",
    "files": "All data as files",
    "mbox": "every message as it was sent, for any mail program",
    "tables": "{name} as a spreadsheet or for programs",
    "records": "records",
    "sign-offs": "sign-offs",
    "open-items": "requests and promises",
    "stages": "stages of projects",
    "by": "by {who}",
    "requirements": "requirements",
    "proposal": "proposal",
    "contract": "contract",
    "change": "change",
    "milestone": "milestone",
    "deliverable": "deliverable",
}
_SIMPLIFIED: Final = {
    "title": "与{client}的往来记录",
    "lead": "由{agency}于{day}整理：{mails}，{projects}，{files}。",
    "n mails": "邮件 {n} 封",
    "n projects": "项目 {n} 个",
    "n files": "文件 {n} 个",
    "none": "目前还没有往来记录。",
    "projects": "项目",
    "approved": "已确认事项",
    "mails": "往来邮件",
    "files": "全部数据文件",
    "mbox": "全部邮件原文，可用任何邮件软件打开",
    "tables": "{name}（表格 / 程序可读）",
    "records": "沟通记录",
    "sign-offs": "确认记录",
    "open-items": "请求与承诺",
    "stages": "项目阶段",
    "by": "确认人：{who}",
    "requirements": "需求",
    "proposal": "方案",
    "contract": "合同",
    "change": "变更",
    "milestone": "里程碑",
    "deliverable": "交付物",
}
_TRADITIONAL: Final = {
    "title": "與{client}的往來紀錄",
    "lead": "由{agency}於{day}整理：{mails}，{projects}，{files}。",
    "n mails": "郵件 {n} 封",
    "n projects": "專案 {n} 個",
    "n files": "檔案 {n} 個",
    "none": "目前還沒有往來紀錄。",
    "projects": "專案",
    "approved": "已確認事項",
    "mails": "往來郵件",
    "files": "全部資料檔案",
    "mbox": "全部郵件原文，可用任何郵件軟體開啟",
    "tables": "{name}（試算表 / 程式可讀）",
    "records": "溝通紀錄",
    "sign-offs": "確認紀錄",
    "open-items": "請求與承諾",
    "stages": "專案階段",
    "by": "確認人：{who}",
    "requirements": "需求",
    "proposal": "提案",
    "contract": "合約",
    "change": "變更",
    "milestone": "里程碑",
    "deliverable": "交付物",
}
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#e3e7ec;--paper:#fff;--ground:#f4f6f8;--mark:#1f6f8b;--theirs:#eef6f9}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa6b4;--line:#2c3540;--paper:#171d24;--ground:#10151a;--mark:#6cc0db;--theirs:#1a2a33}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:860px;margin:0 auto;padding:48px 20px 80px}
h1{font-size:30px;line-height:1.25;margin:0 0 8px}h2{font-size:20px;margin:44px 0 14px}
.lead{color:var(--soft);margin:0}
.card{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin:0 0 12px}
.name{font-weight:600}.stage{float:right;color:var(--mark);font-weight:600;font-size:14px}
.steps{margin:10px 0 0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:6px 18px;color:var(--soft);font-size:14px}
.steps b{color:var(--ink);font-weight:500}
blockquote{margin:8px 0 0;padding-left:12px;border-left:3px solid var(--mark);color:var(--soft)}
details{background:var(--paper);border:1px solid var(--line);border-radius:12px;margin:0 0 8px;overflow:hidden}
details.theirs{background:var(--theirs)}
summary{cursor:pointer;padding:12px 18px;display:grid;grid-template-columns:8.5em 11em 1fr;gap:12px;list-style:none}
summary::-webkit-details-marker{display:none}
summary time{color:var(--soft);font-variant-numeric:tabular-nums}
summary .who,summary .what{overflow-wrap:anywhere}summary .what{font-weight:500}
.text{white-space:pre-wrap;overflow-wrap:anywhere;padding:0 18px 14px;margin:0}
.attached{padding:0 18px 14px;margin:0;font-size:14px}
a{color:var(--mark)}ul.data{padding-left:20px}.size{color:var(--soft)}
@media(max-width:640px){summary{grid-template-columns:1fr;gap:2px}.stage{float:none;display:block}main{padding-top:28px}h1{font-size:24px}}
@media print{body{background:#fff}details{break-inside:avoid}}
"""


def page_html(page: Page) -> str:
    """The whole page: one file, no script, nothing fetched from anywhere."""
    words = _words(page.language)
    title = words["title"].format(client=page.client)
    files = sum(len(mail.files) for mail in page.mails)
    lead = words["lead"].format(
        agency=page.agency,
        day=page.made_at.date().isoformat(),
        mails=plural(words["n mails"], len(page.mails)),
        projects=plural(words["n projects"], len(page.projects)),
        files=plural(words["n files"], files),
    )
    body = "".join(
        (
            _section(words["projects"], (_project(item) for item in page.projects)),
            _section(words["approved"], (_sign_off(item, words) for item in page.sign_offs)),
            _section(words["mails"], (_mail(item) for item in page.mails)) or f"<p>{escape(words['none'])}</p>",
            _section(words["files"], (_data(words),)),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{escape(page.language or "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{body}</main></body></html>\n'
    )


def _words(language: str) -> dict[str, str]:
    if language.startswith("zh"):
        return _TRADITIONAL if language in {"zh-Hant", "zh-TW", "zh-HK"} else _SIMPLIFIED
    return _ENGLISH


def _section(title: str, items: Iterable[str]) -> str:
    inside = "".join(items)
    return f"<h2>{escape(title)}</h2>{inside}" if inside else ""


def _project(item: PageProject) -> str:
    steps = "".join(f"<li>{on.isoformat()} <b>{escape(stage)}</b></li>" for on, stage in item.steps)
    return (
        f'<div class="card"><span class="stage">{escape(item.stage)}</span>'
        f'<span class="name">{escape(item.name)}</span><ul class="steps">{steps}</ul></div>'
    )


def _sign_off(item: PageSignOff, words: dict[str, str]) -> str:
    return (
        f'<div class="card"><span class="stage">{item.on.isoformat()}</span>'
        f'<span class="name">{escape(words.get(item.what, item.what))}</span> · {escape(item.project)}'
        f'<div class="size">{escape(words["by"].format(who=item.by))}</div><blockquote>{escape(item.words)}</blockquote></div>'
    )


def _mail(item: PageMail) -> str:
    files = "<br>".join(
        f'<a href="{quote(found.path)}">{escape(found.name)}</a> <span class="size">{_size(found.size)}</span>'
        for found in item.files
    )
    attached = f' <span class="size">📎 {len(item.files)}</span>' if item.files else ""
    return (
        f"<details{' class=theirs' if item.theirs else ''}><summary><time>{item.at:%Y-%m-%d %H:%M}</time>"
        f'<span class="who">{escape(item.sender)}</span><span class="what">{escape(item.subject or "—")}{attached}</span></summary>'
        f'<p class="text">{escape(item.text)}</p>'
        + (f'<p class="attached">{files}</p>' if files else "")
        + "</details>"
    )


def _data(words: dict[str, str]) -> str:
    tables = "".join(
        f'<li>{escape(words["tables"].format(name=words[name]))}: <a href="{name}.csv">{name}.csv</a>, '
        f'<a href="{name}.json">{name}.json</a></li>'
        for name in ("records", "sign-offs", "open-items", "stages")
    )
    return f'<ul class="data"><li><a href="mailbox.mbox">mailbox.mbox</a>: {escape(words["mbox"])}</li>{tables}</ul>'


def _size(number: int) -> str:
    return f"{number / 1_000_000:.1f} MB" if number >= 1_000_000 else f"{max(1, number // 1000)} kB"
