"""What reading and checking 1,000 rules costs: when they are right, and when every one of them has an error to place.

Run as `python -m benchmarks.rules_check [--rules 1000]`. Aims: 1 s right, 3 s wrong; ends with 1 when one is missed.
Templates are checked as `assistant rules check` does; one run before the measured one loads the libraries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from assistant.cadence.load import load_rulebook
from assistant.rendering import Templates
from assistant.resources import shipped

RIGHT_SECONDS = 1.0
WRONG_SECONDS = 3.0
_IN_A_FILE = 100


def rule(number: int, *, wrong: bool) -> str:
    """A cadence of two steps and a task; `wrong` puts one of several errors into it."""
    unit = "busness days" if wrong and number % 3 == 0 else "business days"
    stage = "propsal" if wrong and number % 3 == 1 else "proposal"
    template = "followups/proposal-nudge-one" if wrong and number % 3 == 2 else "followups/proposal-nudge-1"
    return (
        f'[[cadence]]\nname = "rule-{number}"\nwhy = "节奏 {number}"\n'
        f'when = {{ stage = "{stage}", waiting_on = "client", tag = "segment-{number}" }}\n'
        f'  [[cadence.step]]\n  after = "3 {unit}"\n  at = "10:00"\n  send = "{template}"\n'
        f'  [[cadence.step]]\n  after = "7 business days"\n  send = "followups/proposal-nudge-2"\n'
        f'  [[cadence.step]]\n  after = "10 business days"\n  task = "Call {{{{ contact.name }}}}"\n'
    )


def write(folder: Path, count: int, *, wrong: bool) -> None:
    for start in range(0, count, _IN_A_FILE):
        rules = "\n".join(rule(number, wrong=wrong) for number in range(start, min(start + _IN_A_FILE, count)))
        (folder / f"rules{start:05}.toml").write_text(f"schema = 1\n\n{rules}", encoding="utf-8")


def checked(folder: Path) -> tuple[float, float, int]:
    """Seconds of work, seconds by the clock, and how many problems were found."""
    templates = Templates(shipped("templates"), shipped("templates"), "zh-Hans")
    began, working = time.perf_counter(), time.process_time()
    _, problems = load_rulebook(folder, templates)
    return time.process_time() - working, time.perf_counter() - began, len(problems)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rules", type=int, default=1000)
    wanted = arguments.parse_args()
    missed = 0
    for wrong, aim in ((False, RIGHT_SECONDS), (True, WRONG_SECONDS)):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), wanted.rules, wrong=wrong)
            checked(Path(folder))
            work, clock, problems = checked(Path(folder))
        missed += work > aim
        print(
            f"{wanted.rules} rules, {problems} problems: {work:.2f} s of work, {clock:.2f} s by the clock (aim {aim})"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
