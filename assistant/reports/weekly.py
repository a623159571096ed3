"""The weekly summary of one client: facts in, a finished mail out.

What is long is cut and says so: mail programs clip what is over 100 KB, and nobody reads it either.
"""

from __future__ import annotations

from typing import Final

from assistant.rendering import Rendered, Templates
from assistant.reports.facts import WeeklySummary
from assistant.reports.weekly_view import Limits, weekly_view

TEMPLATE: Final = "summaries/weekly"
MAX_HTML_BYTES: Final = 96_000
"""Somewhat under the 100 KB at which Gmail clips, since transport encodings add to it."""
LIMITS: Final = (
    Limits(),
    Limits(happenings=10, projects=4, in_project=2, unsure=3),
    Limits(happenings=6, attention=4, projects=2, brief_projects=8, in_project=1, unsure=2, ahead=2),
)
"""From generous to strict; the first that fits is taken."""


def render_weekly(summary: WeeklySummary, templates: Templates) -> Rendered:
    """Subject, text and html of a weekly summary in the reader's language, short enough for every mail program. Pure.

    Raises `ProblemsFound` where the agency's own template is broken.
    """
    for limits in LIMITS:
        mail = templates.render(TEMPLATE, summary.language, weekly_view(summary, limits))
        if mail.html is None or len(mail.html.encode()) <= MAX_HTML_BYTES:
            break
    return mail
