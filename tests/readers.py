"""Readers for tests that read more than tags."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.model.reading import MailToRead, Reading, ReadMail
from tests.offices import TaggedReader

Probabilities = tuple[tuple[str, float], ...]


class NeighbourlyReader(TaggedReader):
    """Believes of a mail between two others of one stage that it is of their stage too."""

    def look_back(self, mails: Sequence[ReadMail]) -> tuple[Probabilities, ...]:
        read = [mail.stage_probabilities for mail in mails]
        seen = list(read)
        for place in range(1, len(read) - 1):
            before, after = read[place - 1][0][0], read[place + 1][0][0]
            if before == after != read[place][0][0]:
                seen[place] = ((before, 0.85), (read[place][0][0], 0.15))
        return tuple(seen)

    def read_as(self, mail: MailToRead, stage_probabilities: Probabilities) -> Reading:
        return self.read(mail)
