"""`python -m tests.chaos`: N rounds of random mail, faults and kills; ends with 1 when an invariant was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from assistant.log import set_up_logging
from tests.chaos.boundaries import differences, kills, uninterrupted
from tests.chaos.plan_files import plan_from
from tests.chaos.rounds import Outcome, rounds, run_round, seed_of, stage
from tests.chaos.sabotage import WAYS


def main() -> int:
    set_up_logging("error")
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, metavar="N")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same mail and the same faults")
    parser.add_argument("--only", type=int, metavar="ROUND", help="only this round of those that the seed gives")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="faults from a file, see tests/chaos/README.md")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="on a PostgreSQL of its own half of the lives have several workers",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="where the daemons' log goes")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="databases of rounds that went wrong are copied here"
    )
    parser.add_argument(
        "--boundaries",
        type=int,
        metavar="EVERY",
        help="instead of random rounds: killed at every EVERY-th boundary and compared with the uninterrupted run",
    )
    parser.add_argument(
        "--soak", type=int, metavar="MESSAGES", help="instead: so many messages through the daemon, memory measured"
    )
    parser.add_argument(
        "--encoder", choices=("auto", "on", "off"), default="off", help="of the daemon that --soak runs"
    )
    parser.add_argument(
        "--sabotage", action="store_true", help="instead: the product is broken on purpose; every way must be noticed"
    )
    parser.add_argument("--verbose", action="store_true", help="a line for every round, and its lives")
    wanted = parser.parse_args()
    if wanted.rounds < 1 or (wanted.only is not None and wanted.only < 1):
        parser.error("rounds are counted from 1")
    try:
        plan = plan_from(wanted.plan, wanted.database) if wanted.plan else None
    except (ValueError, OSError) as error:
        print(f"the plan cannot be used:\n{error}", file=sys.stderr)
        return 2
    if wanted.sabotage:
        return _sabotage(wanted.seed, wanted.log)
    if wanted.soak:
        from tests.chaos.soak import main as soak

        return soak(wanted.soak, wanted.encoder)
    if wanted.boundaries:
        return _boundaries(wanted.seed, wanted.boundaries, wanted.log, wanted.database)
    numbers = range(1, wanted.rounds + 1) if wanted.only is None else [wanted.only]
    more = f" --plan {wanted.plan}" if wanted.plan else ""
    more += f" --database {wanted.database}" if wanted.database != "sqlite" else ""
    print(f"seed {wanted.seed}, {len(numbers)} rounds on {wanted.database}", flush=True)
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if wanted.verbose or outcome.wrong:
            _print(outcome, f"python -m tests.chaos --seed {wanted.seed} --only {outcome.number}{more} --verbose")
        if len(outcomes) % 25 == 0:
            print(f"{len(outcomes)} rounds, {sum(bool(item.wrong) for item in outcomes)} wrong", flush=True)

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        log = wanted.log or Path(scratch) / "lives.log"
        failed = rounds(log, wanted.seed, numbers, plan, tell, wanted.keep, wanted.database)
    seconds = time.monotonic() - began
    print(
        f"{len(outcomes)} rounds in {seconds:.0f} s ({seconds / max(1, len(outcomes)):.2f} s each): "
        f"{sum(item.mails for item in outcomes)} mails in, {sum(item.sent for item in outcomes)} out, "
        f"{sum(item.kills for item in outcomes)} lives killed; {len(failed)} rounds wrong"
    )
    return 1 if failed else 0


def _sabotage(seed: int, log: Path | None) -> int:
    """One round for each way to break the product; ends with 1 when one goes unnoticed."""
    unnoticed = 0
    with tempfile.TemporaryDirectory() as scratch, stage(log or Path(scratch) / "lives.log") as on:
        for name, (_, plan) in WAYS.items():
            outcome = run_round(on, 1, seed_of(seed, 1), plan, sabotage=name)
            unnoticed += not outcome.wrong
            print(f"{name}: {f'noticed: {outcome.wrong[0]}' if outcome.wrong else 'NOT NOTICED'}", flush=True)
    print(f"the product was broken in {len(WAYS)} ways; {unnoticed} went unnoticed")
    return 1 if unnoticed else 0


def _boundaries(seed: int, every: int, log: Path | None, database: str) -> int:
    wrong = done = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, stage(log or Path(scratch) / "lives.log", database) as on:
        whole = uninterrupted(on, seed)
        print(f"seed {seed}: passes of {', '.join(str(count) for count in whole.boundaries)} boundaries", flush=True)
        for text in whole.wrong:
            print(f"  WRONG without a kill: {text}")
        for kill in kills(whole, every):
            found = differences(whole, on, seed, kill)
            done, wrong = done + 1, wrong + bool(found)
            for text in found:
                print(
                    f"  WRONG after a kill at boundary {kill.boundary} of pass {kill.on_pass + 1}: {text}", flush=True
                )
    print(
        f"killed at {done} boundaries in {time.monotonic() - began:.0f} s; {wrong} runs differ from the uninterrupted one"
    )
    return 1 if wrong or whole.wrong else 0


def _print(outcome: Outcome, again: str) -> None:
    print(
        f"round {outcome.number}: {outcome.mails} mails, {outcome.sent} sent, {outcome.kills} kills, {outcome.seconds:.2f} s"
    )
    for life in outcome.lives:
        print(f"    {life}")
    for text in outcome.wrong:
        print(f"  WRONG: {text}")
    if outcome.wrong:
        print(f"  again: {again}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
