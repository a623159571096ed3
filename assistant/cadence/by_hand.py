"""What a colleague decides about a run under way: go on, leave a step out, hold it, end it. Pure, as every decision."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from assistant.cadence.decide import BY_HAND, run_work
from assistant.cadence.rules import Rulebook
from assistant.cadence.steps import skip_step
from assistant.cadence.timing import ONE_DAY
from assistant.calendar.business import Calendars
from assistant.model.cadence import CadenceRun, Effect, MoveStep, PauseRun, ProjectFacts, StopRun

Order = Literal["resume", "skip", "hold", "stop"]
ORDERS: Final[tuple[Order, ...]] = ("resume", "skip", "hold", "stop")


def by_hand(
    order: Order,
    who: str,
    facts: ProjectFacts,
    run: CadenceRun,
    rulebook: Rulebook,
    calendars: Calendars,
    now: datetime,
) -> tuple[tuple[Effect, ...], str]:
    """The effects of an order, and why there are none, in words; exactly one of the two is empty.

    A run that goes on is due now; what leaves is decided, and guarded, as ever. Later steps keep their distance.
    """
    if not run.is_open:
        return (), f"it is {run.status} already"
    if order == "stop":
        return (StopRun(run.key, "by-hand", f"by {who}"),), ""
    if order == "hold":
        return (PauseRun(run.key, "by-hand", None, now + ONE_DAY),), ""
    if order == "resume":
        if run.status != "paused" or run.reason not in BY_HAND:
            why = (
                f"it is paused: {run.reason}"
                if run.status == "paused"
                else f"it waits for {run.due_at:%Y-%m-%d %H:%M} UTC"
            )
            return (), f"it does not wait for a colleague; {why}"
        moved = MoveStep(
            run.key, run.step_index, now, run.version, run.sent_count, run.delayed_business_days, "by-hand"
        )
        return (moved,), ""
    cadence = rulebook.for_run(run.cadence, run.version)
    if cadence is None or run.step_index >= len(cadence.steps):
        return (), "its rule has no such step any more"
    effects: list[Effect] = []
    skip_step(run_work(facts, run, cadence, calendars, rulebook), "by-hand", f"by {who}", now, effects, [])
    return tuple(effects), ""
