"""HTML to text: it reads like the mail looked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.html import RULER, html_to_text

LOOKS = {
    "paragraphs are set apart": ("<p>一</p><p>二</p>", "一\n\n二"),
    "Outlook's paragraphs are lines": ("<p class=MsoNormal>Dear Li,</p><p class=MsoNormal>See it.</p>", "Dear Li,\nSee it."),
    "an empty line stays": ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
    "Outlook's empty line stays": ("<p class=MsoNormal>a</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>b</p>", "a\n\nb"),
    "no space between Chinese inline tags": ("<p>这个<span>方案</span><b>很</b><i>好</i></p>", "这个方案很好"),
    "a line break in Chinese source is nothing": ("<p>第一行\n  第二行</p>", "第一行第二行"),
    "a line break between Chinese elements is nothing": ("<p><span>方</span>\n<span>案</span> <b>一</b></p>", "方案 一"),
    "a line break in English source is a space": ("<p>first\n  second</p>", "first second"),
    "bullets": ("Intro<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>", "Intro\n\n- one\n  - deep\n- two"),
    "numbers": ("<ol start=3><li>three</li><li><p>four</p></li></ol>", "3. three\n4. four"),
    "cells of a row stand on a line": ("<table><tr><td>项目</td><td>价格</td></tr><tr><td><p>KV</p></td><td><p>1,200</p></td></tr></table>", "项目\t价格\nKV\t1,200"),
    "layout tables leave no trace": ("<table><tr><td></td><td><table><tr><td>Hello</td></tr></table></td><td>&nbsp;</td></tr></table>", "Hello"),
    "a link keeps its address": ('请<a href="https://x.example/p">查看方案</a>。', "请查看方案 <https://x.example/p>。"),
    "a link that shows its address is not doubled": ('<a href="https://x.example/p">https://x.example/p</a>', "https://x.example/p"),
    "a mail link keeps its address": ('<a href="mailto:a@b.example?subject=x">张三</a>', "张三 <a@b.example>"),
    "images alone are nothing": ('<a href="https://x.example"><img src="logo.png" alt="Logo"></a>hi', "hi"),
    "emoji images are emoji": ('好的<img data-emoji="👍" alt="👍"><img alt="[微笑]">', "好的👍[微笑]"),
    "hidden text stays hidden": ('<div style="display:none">pre</div><span style="mso-hide:all">header</span><p hidden>x</p>shown', "shown"),
    "a size of nothing around a layout hides nothing": ('<div style="font-size:0"><table><tr><td style="font-size:14px">shown</td></tr></table></div>', "shown"),
    "a size of nothing hides": ('a<span style="font-size:0">x</span><div style="font-size:0px">y</div>b', "ab"),
    "scripts, styles and comments are gone": ("<style>p{}</style><script>1</script><!-- c --><title>t</title>a<![if !mso]>b<![endif]>", "ab"),
    "quotations are marked": ('<div>new</div><blockquote type="cite"><p>old</p><blockquote type="cite">older</blockquote></blockquote>', "new\n\n> old\n>\n> > older"),
    "indentation is no quotation": ("<blockquote><div>说明</div></blockquote>", "说明"),
    "white space that was meant stays": ("<pre>a\n  b</pre>", "a\n  b"),
    "a rule is a line": ("a<hr>b", f"a\n{RULER}\nb"),
    "entities are characters": ("&lt;x&gt; &amp; &nbsp;&#x4e2d;&eacute;", "<x> &  中é"),
    "padding of preheaders is gone": ("Hi&#8203;&zwnj;&#847; there", "Hi there"),
    "unclosed and half-open tags are mended": ("<div>a<p>b<b>c</div>d <no", "a\n\nbc\n\nd"),
    "text without a tag is text": ("a &amp; b", "a & b"),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_it_reads_like_it_looked(look: str) -> None:
    html, text = LOOKS[look]
    assert html_to_text(html) == text


def test_deeply_nested_documents_lose_their_tags_only() -> None:
    assert html_to_text("<div>" * 20_000 + "你好<br>world" + "</div>" * 20_000) == "你好\nworld"


@given(
    st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<p>",
                "</p>",
                "<td>",
                "<tr>",
                "<li>",
                "<ol>",
                "</ol>",
                "<br>",
                "<blockquote type=cite>",
                "</blockquote>",
                "<a href='x'>",
                "</a>",
                "<pre>",
                "</pre>",
                "a",
                " b\n",
                "中",
                "<hr>",
                "<table>",
                "</table>",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_no_arrangement_of_tags_loses_a_word(html: str) -> None:
    text = html_to_text(html)
    assert text.count("中") == html.count("中")
    assert text.count("a") == html.replace("<table>", "").replace("</table>", "").replace("<a href='x'>", "").replace(
        "</a>", ""
    ).count("a")
    assert text == text.strip("\n").rstrip()


@given(st.text(alphabet="<>/ab='\"&;!- \n中pdivt", max_size=200))
def test_any_text_is_read_as_html(html: str) -> None:
    html_to_text(html)
