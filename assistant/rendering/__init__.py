"""Templates of mails: the one Jinja environment that cadence, outbox and reports share.

A mail is a folder, `templates/<group>/<name>/`, named `<group>/<name>` in rule files. In it lie

- `subject.<language>.j2` and `text.<language>.j2`: both needed in each language (zh-Hans, zh-Hant, en, or any other);
- `html.<language>.j2`, or one `html.j2` for every language; without it the mail is plain text. It may use
  `mail.subject`, `mail.text`, `mail.body` (the text before the line `-- `) and `mail.footer` (after it);
- `words.<language>.toml`: phrases that a part for every language names as `words.…`, over `layout/words.<language>.toml`;
- `sample.toml`: data for previews and checks, over `layout/sample.toml`; a table named as a language holds what is
  different in it, as in `[en.contact]`;
- `meta.toml`, if it has something to say: `commercial = true`, `tone = "warm"`, `without = ["waited"]`.

Mails to clients (`followups/`, `greetings/`) may name what `context.ClientMail` holds: `agency`, `owner`, `contact`,
`client`, `assistant`, `today`, and in follow-ups `project`, `waited`, `step`, in greetings `festival`. Mails to staff
are given what the functions of `assistant.reports` prepare. Everything else is an error before anything is sent.

    templates = Templates(Path("templates"), fallback=shipped, agency_language="zh")
    templates.render("followups/proposal-nudge-1", contact.language, client_mail.context())
"""

from __future__ import annotations

from assistant.rendering.context import (
    AgencyFacts,
    AssistantFacts,
    ClientFacts,
    ClientMail,
    ContactFacts,
    FestivalFacts,
    OwnerFacts,
    ProjectFacts,
    StepFacts,
    WaitedFacts,
)
from assistant.rendering.library import TemplateMeta
from assistant.rendering.salutation import salutation
from assistant.rendering.templates import Rendered, Templates

__all__ = [
    "AgencyFacts",
    "AssistantFacts",
    "ClientFacts",
    "ClientMail",
    "ContactFacts",
    "FestivalFacts",
    "OwnerFacts",
    "ProjectFacts",
    "Rendered",
    "StepFacts",
    "TemplateMeta",
    "Templates",
    "WaitedFacts",
    "salutation",
]
