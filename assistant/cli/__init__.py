"""The command line: results on stdout, talk to people on stderr. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `assistant`. Turns errors that a person must act on into a sentence and an exit status."""
    from assistant.cli.app import app
    from assistant.errors import AssistantError, ProblemsFound

    try:
        app()
    except ProblemsFound as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201  # talk to people goes to stderr
        count = len(error.problems)
        print(f"\n{count} {'problem' if count == 1 else 'problems'}; nothing was sent.", file=sys.stderr)  # noqa: T201  # as above
        sys.exit(error.exit_status)
    except AssistantError as error:
        print(f"assistant: {error}", file=sys.stderr)  # noqa: T201  # as above
        sys.exit(error.exit_status)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
