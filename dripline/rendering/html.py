"""Markup to the HTML and the text of an e-mail."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import css_inline
import html2text
import mrml
from markdown_it import MarkdownIt

from dripline.language.mjml import BadMjml, to_html
from dripline.language.values import EvaluationError

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_GAPS = re.compile(r"\n\s*\n\s*\n+")
_HIDDEN = (
    '<div style="display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;font-size:1px;line-height:1px;'
    'mso-hide:all">{}</div>'
)
_PAGE = """<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:0 auto;padding:24px;max-width:600px;font:16px/1.5 Helvetica,Arial,sans-serif;color:#1f2933">
{body}</body>
</html>
"""


def html_of(markup: str, body: str, title: str, locale: str) -> str:
    """The HTML page that a filled body is, with its styles at the elements."""
    if markup == "mjml":
        page = _from_mjml(body)
    elif markup == "md":
        page = _PAGE.format(locale=escape(locale), title=escape(title), body=_markdown().render(body))
    else:
        page = body
    return _inliner().inline(page)


def with_preheader(html: str, preheader: str | None) -> str:
    """The page with the text that inboxes show beside the subject, unseen in the page itself."""
    if not preheader:
        return html
    hidden = _HIDDEN.format(escape(preheader))
    match = _BODY.search(html)
    return html[: match.end()] + hidden + html[match.end() :] if match else hidden + html


def text_of(html: str) -> str:
    """The text part: what the page says, with the addresses of its links."""
    reader = html2text.HTML2Text()
    reader.body_width = 0
    reader.ignore_images = True
    reader.ignore_tables = True
    reader.ignore_emphasis = True
    reader.unicode_snob = True
    reader.protect_links = False
    reader.inline_links = True
    text = "\n".join(line.rstrip() for line in reader.handle(html).splitlines())
    return _GAPS.sub("\n\n", text).strip() + "\n"


def _from_mjml(body: str) -> str:
    # Without fonts of its own MRML links Google's, which tells Google who reads the message.
    try:
        html: str = to_html(body.strip(), render_options=mrml.RenderOptions(fonts={})).content
    except BadMjml:
        raise EvaluationError("bad-mjml") from None
    return html


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # Never fetch anything while rendering; media queries must stay in the page.
    return css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    # Without raw HTML: values are escaped for Markdown, which does not reach into HTML blocks.
    return MarkdownIt("commonmark", {"html": False})
