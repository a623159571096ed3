"""How well records are labelled end to end: projects of a corpus folder as raw mail, `assistant import`, `assistant records --json`.

Gold labels are compared by Message-ID with what the command line prints. On a folder that the model was trained on the
figures flatter; on fresh projects in the same file format they are honest. Run as
`python -m benchmarks.labels [FOLDER] [--without-encoder] [--without-attachments] [--wrong 20]`.
"""

from __future__ import annotations

import argparse
import json
import mailbox
import random
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.relations import (
    CORPUS,
    SEED,
    Letter,
    b_cubed,
    direction_of,
    raw_mails,
    read_projects,
    read_strays,
    write_config,
)


@dataclass(frozen=True, slots=True)
class Gold:
    """What is true of one mail."""

    letter: Letter
    language: str
    stage: str
    intents: frozenset[str]
    approval: str
    waiting_on: str


@dataclass(frozen=True, slots=True)
class Pair:
    """What is true of one mail and what its record says."""

    gold: Gold
    record: dict[str, Any]

    @property
    def confidence(self) -> float:
        return float(self.record.get("stage_confidence") or 0.0)

    @property
    def stage(self) -> str:
        return str(self.record["stage"])

    @property
    def stage_is_right(self) -> bool:
        return self.stage == self.gold.stage


def gold_of(folder: Path) -> Iterator[Gold]:
    """Every mail of the folder with its labels, in the order of the files."""
    letters = {letter.id: letter for group in read_projects(folder).values() for letter in group}
    for file in sorted((folder / "projects").glob("*.toml")):
        data = tomllib.loads(file.read_text("utf-8"))
        for message in data["message"]:
            yield Gold(
                letters[f"{data['id']}.{message['id']}@corpus.example"],
                message.get("language") or data["language"],
                message["stage"],
                frozenset(message["intents"]),
                message.get("approval", ""),
                message["waiting_on"],
            )
    for letter in read_strays(folder):
        yield Gold(letter, "", "unrelated", frozenset(), "", "nobody")


def records_of(letters: Sequence[Letter], *, encoder: bool, attachments: bool = True) -> dict[str, dict[str, Any]]:
    """Records by Message-ID as a user sees them: an mbox imported by the command, and the command's listing."""
    if not attachments:
        letters = [replace(letter, attachments=()) for letter in letters]
    with tempfile.TemporaryDirectory(prefix="cc-assistant-benchmark-") as name:
        folder = Path(name)
        config = write_config(folder, letters, encoder="auto" if encoder else "off")
        box = mailbox.mbox(folder / "history.mbox")
        for raw in raw_mails(letters, random.Random(SEED)):
            box.add(raw)
        box.close()
        _assistant(config, "import", str(folder / "history.mbox"))
        listed = _assistant(config, "records", "--json")
    rows = (json.loads(line) for line in listed.splitlines())
    return {row["message_id"].removeprefix("fwd."): row for row in rows}


def _assistant(config: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "assistant", "--config", str(config), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout


# --- the measures ---------------------------------------------------------------------------------------------------


def macro_f1(pairs: Sequence[Pair]) -> float:
    """Mean F1 of the stages that occur."""
    scores = []
    for stage in {pair.gold.stage for pair in pairs}:
        both = sum(pair.gold.stage == stage == pair.stage for pair in pairs)
        true = sum(pair.gold.stage == stage for pair in pairs)
        said = sum(pair.stage == stage for pair in pairs)
        scores.append(2 * both / (true + said))
    return sum(scores) / len(scores)


def expected_calibration_error(pairs: Sequence[Pair], bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over equal bins of confidence, weighted (Naeini et al. 2015)."""
    held: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        held[min(bins - 1, int(pair.confidence * bins))].append(pair)
    distance: float = sum(
        abs(sum(pair.confidence for pair in group) - sum(pair.stage_is_right for pair in group))
        for group in held.values()
    )
    return distance / len(pairs)


def _share(pairs: Sequence[Pair], right: Callable[[Pair], bool]) -> str:
    return f"{sum(map(right, pairs)) / len(pairs):.3f} of {len(pairs)}" if pairs else "none"


def _two_rates(both: int, said: int, true: int) -> str:
    precision, recall = both / said if said else 0.0, both / true if true else 0.0
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return f"precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f} ({said} said, {true} true)"


def _intents(record: dict[str, Any]) -> frozenset[str]:
    return frozenset(item if isinstance(item, str) else item[0] for item in record["intents"])


def report(gold: Sequence[Gold], records: dict[str, dict[str, Any]], wrong: int) -> None:
    pairs = [Pair(item, records[item.letter.id]) for item in gold if item.letter.id in records]
    print(f"{len(gold)} mails, {len(gold) - len(pairs)} without a record")
    work = [pair for pair in pairs if pair.gold.letter.client]
    print(f"stage            {_share(work, lambda pair: pair.stage_is_right)}, macro-F1 {macro_f1(work):.3f}")
    for language in sorted({pair.gold.language for pair in work}):
        print(
            f"  {language:14} {_share([p for p in work if p.gold.language == language], lambda pair: pair.stage_is_right)}"
        )
    unrelated = [pair for pair in pairs if pair.gold.stage == "unrelated"]
    print(f"unrelated found  {_share(unrelated, lambda pair: pair.stage_is_right)}")
    surest = sorted(work, key=lambda pair: -pair.confidence)[: max(1, len(work) * 6 // 10)]
    print(f"surest 60 %      {_share(surest, lambda pair: pair.stage_is_right)}")
    print(f"calibration      ECE {expected_calibration_error(work):.3f}")
    print(f"direction        {_share(work, lambda pair: pair.record['direction'] == direction_of(pair.gold.letter))}")
    _report_relations(work)
    print(f"waiting_on       {_share(work, lambda pair: pair.record['waiting_on'] == pair.gold.waiting_on)}")
    _report_intents(work)
    if wrong:
        _report_wrong(work, wrong)


def _report_relations(work: Sequence[Pair]) -> None:
    main: dict[str, str] = {}
    for client in {pair.gold.letter.client for pair in work}:
        seen = Counter(pair.record["client"] for pair in work if pair.gold.letter.client == client)
        main[client] = seen.most_common(1)[0][0]
    right = _share(
        work, lambda pair: bool(pair.record["client"]) and pair.record["client"] == main[pair.gold.letter.client]
    )
    print(f"client           {right}")
    scored = [pair for pair in work if pair.gold.letter.scored]
    precision, recall, f1 = b_cubed(
        [
            (p.gold.letter.project, f"{p.record['client']} {p.record['project']}" if p.record["project"] else "")
            for p in scored
        ]
    )
    print(f"project B-cubed  precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}")


def _report_intents(work: Sequence[Pair]) -> None:
    names = sorted({name for pair in work for name in (*pair.gold.intents, *_intents(pair.record))})
    counts = {
        name: (
            sum(name in pair.gold.intents and name in _intents(pair.record) for pair in work),
            sum(name in _intents(pair.record) for pair in work),
            sum(name in pair.gold.intents for pair in work),
        )
        for name in names
    }
    print(f"intents          {_two_rates(*(sum(column) for column in zip(*counts.values(), strict=True)))}")
    for name, count in counts.items():
        print(f"  {name:14} {_two_rates(*count)}")
    said = [pair for pair in work if pair.record["approval"]]
    true = [pair for pair in work if pair.gold.approval]
    both = [pair for pair in said if pair.gold.approval]
    print(f"approvals        {_two_rates(len(both), len(said), len(true))}")
    print(f"  of that kind   {_share(both, lambda pair: pair.record['approval'] == pair.gold.approval)}")


def _report_wrong(work: Sequence[Pair], most: int) -> None:
    print("surest mistakes:")
    mistakes = sorted((pair for pair in work if not pair.stage_is_right), key=lambda pair: -pair.confidence)
    for pair in mistakes[:most]:
        text = " ".join(pair.gold.letter.text.split())[:70]
        print(f"  {pair.gold.letter.id}: {pair.gold.stage}, read {pair.stage} {pair.confidence:.2f}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--without-encoder", action="store_true")
    parser.add_argument("--without-attachments", action="store_true")
    parser.add_argument("--wrong", type=int, default=0, help="print so many of the surest mistakes")
    arguments = parser.parse_args()
    gold = list(gold_of(arguments.folder))
    records = records_of(
        [item.letter for item in gold],
        encoder=not arguments.without_encoder,
        attachments=not arguments.without_attachments,
    )
    report(gold, records, arguments.wrong)


if __name__ == "__main__":
    main()
