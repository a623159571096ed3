"""The command line: results on stdout, talk to people on stderr. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import atexit
import errno
import gc
import sys

_TO_DO = {
    errno.EACCES: "Give the user who runs this the right to it",
    errno.EROFS: "Name a folder that can be written to",
    errno.ENOSPC: "Make room on the disk",
}


def main() -> None:
    """Entry point of `assistant`. Turns errors that a person must act on into a sentence and an exit status."""
    from assistant.cli.app import app
    from assistant.errors import AssistantError, ProblemsFound

    # Or the interpreter looks through everything several times before it ends: up to a second.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
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
    except OSError as error:
        if not error.filename or not error.strerror:
            raise  # of the program's making, not of a file that somebody can set right
        hint = _TO_DO.get(error.errno or 0, "Look at the path and its owner")
        print(f"assistant: {error.filename}: {error.strerror}. {hint}, then call the command again.", file=sys.stderr)  # noqa: T201  # as above
        sys.exit(3)
