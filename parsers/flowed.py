"""format=flowed (RFC 3676): soft line breaks undone, space-stuffing taken off, quote depth kept."""

from __future__ import annotations


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Paragraphs on one line each. With `delete_space` (DelSp=yes, as CJK senders use) the soft break's space goes too."""
    if " \n" not in text and "\n " not in text and not text.startswith(" "):
        return text
    out: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0

    def finish() -> None:
        if paragraph:
            out.append(">" * paragraph_depth + (" " if paragraph_depth else "") + "".join(paragraph))
            paragraph.clear()

    for line in text.split("\n"):
        stripped = line.lstrip(">")
        depth = len(line) - len(stripped)
        stripped = stripped.removeprefix(" ")
        if paragraph and depth != paragraph_depth:
            finish()
        paragraph_depth = depth
        # The signature separator is never flowed (§4.3).
        if stripped == "-- ":
            finish()
            paragraph.append(stripped)
            finish()
        elif stripped.endswith(" "):
            paragraph.append(stripped[:-1] if delete_space else stripped)
        else:
            paragraph.append(stripped)
            finish()
    finish()
    return "\n".join(out)
