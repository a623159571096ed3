"""Rule files: loaded, checked, decided by, explained, previewed, rehearsed and tested.

`load.load_rulebook` reads a folder; `decide.decide`, `greetings.decide_greetings` and `reminders.decide_reminders` turn
facts into effects; `guards.recheck` looks again just before a mail leaves.
"""

from __future__ import annotations
