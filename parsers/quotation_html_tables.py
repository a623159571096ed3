"""The marks that mail clients leave in the structure of HTML: adding a client is adding a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parsers.tables import lines


@dataclass(frozen=True, slots=True)
class ClientMark:
    """`needle` must occur in the HTML in lower case before `selector` is tried, which keeps most bodies quick.

    `action`: "container" (the node is quotation), "separator" (the node and all after it), "headed" (a separator if its
    text begins with a quoted header), "titled" (a container if it begins with one), "signature".
    """

    rule: str
    action: str
    needle: str
    selector: str


def _marks(action: str, table: str) -> tuple[ClientMark, ...]:
    rows = [line.split(" ", 2) for line in lines(table)]
    return tuple(ClientMark(rule, action, needle.lower(), selector) for rule, needle, selector in rows)


CLIENT_MARKS: Final = (
    *_marks(
        "container",
        """
        gmail gmail_quote div.gmail_quote, div.gmail_quote_container, blockquote.gmail_quote
        yahoo yahoo .yahoo_quoted, [id^="yahoo_quoted"], [id*="yahooMailQuoted"], [class*="yahoo-quoted"]
        proton protonmail_quote .protonmail_quote
        thunderbird moz-forward .moz-forward-container
        cite cite blockquote[type="cite"], blockquote[class*="cite"], blockquote[id*="cite"]
        outlook olk_src_body #OLK_SRC_BODY_SECTION
        outlook mail-editor-reference #mail-editor-reference-message-container, [id$="mail-editor-reference-message-container"]
        outlook-mobile reference-message .ms-outlook-mobile-reference-message
        qq original-content [id*="original-content"], [class*="original-content"]
        tencent-exmail xm_compose_origin .xm_compose_origin_mail_container, [class*="xm_compose_origin"]
        netease isreplycontent #isReplyContent, blockquote[id="isReplyContent"]
        netease isforwardcontent #isForwardContent
        netease ntes- [class*="ntes-mailmaster-quote"], [id^="ntes-"][id$="-quote"], [class^="ntes-"][class*="-quote"]
        foxmail foxdiv blockquote[class*="FoxDiv"], div[class^="FoxDiv"]
        foxmail foxmail blockquote[class*="foxmail" i]
        foxmail fmoriginal [id^="FMOriginal"]
        lark history-quote .history-quote-wrapper, [class*="history-quote"], [id*="history-quote"]
        lark lark-mail-quote [id^="lark-mail-quote"], [class*="lark-mail-quote"]
        aliyun aliyun_previous [class*="__aliyun_previous"], [id*="__aliyun_previous"]
        aliyun alimail-quote .alimail-quote, [class*="alimail-quote"]
        dingtalk dingtalk [class*="dingtalk"][class*="quote"], [class*="dingmail"][class*="quote"]
        coremail replycontent blockquote[name="replyContent"], #replyContent, [name="replyContent"]
        coremail referencequote .ReferenceQuote, #ReferenceQuote
        zoho zmail_extra .zmail_extra, [id="blockquote_zmail"], .zmail_extra_hr
        mail-ru auto-quote [id*="mail-app-auto-quote"]
        spark messagereplysection [name="messageReplySection"], .spark_quote
        front front-blockquote .front-blockquote
        hubspot hs_reply .hs_reply
        welink welink [class*="welink"][class*="quote"], [id*="welink"][id*="quote"], [class*="welink"][class*="origin"]
        quoted-mail mail_quote .mail_quote, .mail-quote, #mail_quote, #mail-quote
        quoted-mail mail-quote .mail-quote, #mail-quote
        quoted-mail quotedtext .quotedText, #quotedText, .quoted-text
        evolution evolutioncite .-x-evo-cite, #-x-evo-cite
        """,
    ),
    *_marks(
        "separator",
        """
        outlook divrplyfwdmsg [id$="divRplyFwdMsg"]
        outlook appendonsend [id$="appendonsend"]
        outlook stopspelling hr[id$="stopSpelling"]
        outlook outlookmessageheader .OutlookMessageHeader, [id="OutlookMessageHeader"]
        outlook-mobile mobile-body-separator [id$="mobile-body-separator-line"]
        zimbra __divider__ hr[data-marker="__DIVIDER__"]
        """,
    ),
    *_marks(
        "headed",
        """
        outlook border-top div[style*="border-top" i], p[style*="border-top" i]
        border border: div[style*="border:" i][style*="solid" i]
        ruler <hr hr
        qq arial div[style*="Arial Narrow" i]
        """,
    ),
    *_marks(
        "titled",
        """
        named-quote quote [class*="quote" i], [id*="quote" i]
        named-original origin [class*="origin" i], [id*="origin" i]
        named-reply reply [class*="reply" i], [id*="reply" i]
        named-forward forward [class*="forward" i], [id*="forward" i]
        named-history history [class*="history" i], [id*="history" i]
        blockquote <blockquote blockquote
        """,
    ),
    *_marks(
        "signature",
        """
        signature signature [class*="signature" i], [id*="signature" i], [name*="signature" i]
        tencent-exmail xm_write_sign [class*="xm_write_sign"], [id*="xm_write_sign"]
        netease divneteasemailcard #divNeteaseMailCard, .divNeteaseMailCard
        mail-139 signcontainer #signContainer
        qq <sign sign
        """,
    ),
)
