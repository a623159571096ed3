"""Which row of a rebuilt database is which row of the original: by what it is, never by its number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Rows = Sequence[Row]


class Numbering:
    """Numbers of the scratch database → numbers of the original, table by table. New rows get numbers behind all others."""

    def __init__(self, scratch: Mapping[str, Rows], original: Mapping[str, Rows], copied: Mapping[int, int]) -> None:
        self._scratch, self._original = scratch, original
        self._of: dict[str, dict[int, int]] = {}
        self._match_clients()
        self._give("contact", self._by("contact", lambda row: row["addr_spec"]))
        records = self._by("record", lambda row: row["raw_id"] if row["raw_id"] is not None else -row["id"])
        self._give("record", {**records, **copied})
        self._match_overlapping("thread", _thread_contents, self._by("thread", _thread_look))
        self._match_overlapping("project", self._project_contents, self._by("project", self._project_look))
        self._give("stage_change", self._by("stage_change", self._step_look))
        self._give("sign_off", self._by("sign_off", self._hanging_look))
        self._give("open_item", self._by("open_item", self._hanging_look))

    def of(self, table: str, number: int | None) -> int | None:
        """The original's number; a number of a table that is not rebuilt stays as it is."""
        if number is None or table not in self._of:
            return number
        return self._of[table][number]

    # --- matching ---------------------------------------------------------------------------------------------------

    def _by(self, table: str, look: Callable[[Row], Hashable]) -> dict[int, int]:
        """Rows that look the same, in the order of their numbers."""
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for row in reversed(self._original[table]):
            waiting[self._seen(look, row, original=True)].append(row["id"])
        found: dict[int, int] = {}
        for row in self._scratch[table]:
            same = waiting.get(self._seen(look, row, original=False))
            if same:
                found[row["id"]] = same.pop()
        return found

    def _seen(self, look: Callable[[Row], Hashable], row: Row, *, original: bool) -> Hashable:
        if original:
            return look(row)
        return look({name: self._translated(name, value) for name, value in row.items()})

    def _translated(self, column: str, value: Any) -> Any:
        table = {"client_id": "client", "record_id": "record", "project_id": "project"}.get(column, "")
        return self._of[table].get(value, ("new", value)) if value is not None and table in self._of else value

    def _give(self, table: str, found: Mapping[int, int]) -> None:
        last = max((row["id"] for row in self._original[table]), default=0)
        numbers = dict(found)
        for row in self._scratch[table]:
            if row["id"] not in numbers:
                last += 1
                numbers[row["id"]] = last
        self._of[table] = numbers

    def _match_overlapping(
        self,
        table: str,
        contents: Callable[[Mapping[str, Rows], bool], Iterable[tuple[int, Hashable]]],
        look: Mapping[int, int],
    ) -> None:
        """Those that share most of their contents, then those without any that look the same."""
        holder = {content: number for number, content in contents(self._original, True)}
        shared: Counter[tuple[int, int]] = Counter()
        for number, content in contents(self._scratch, False):
            if content in holder:
                shared[number, holder[content]] += 1
        found: dict[int, int] = {}
        taken: set[int] = set()
        for (here, there), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
            if here not in found and there not in taken:
                found[here] = there
                taken.add(there)
        for here, there in look.items():
            if here not in found and there not in taken:
                found[here] = there
                taken.add(there)
        self._give(table, found)

    def _match_clients(self) -> None:
        """By domain or address, by their people, by name. Several may have become one: people's merges are kept."""
        keys = {row["domain"]: row["client_id"] for row in self._original["client_domain"]}
        people = {row["addr_spec"]: row["client_id"] for row in self._original["contact"]}
        found: dict[int, int] = {}
        for row in self._scratch["client_domain"]:
            if row["domain"] in keys:
                found.setdefault(row["client_id"], keys[row["domain"]])
        for row in self._scratch["contact"]:
            if row["addr_spec"] in people:
                found.setdefault(row["client_id"], people[row["addr_spec"]])
        named = self._by("client", lambda row: (row["name"], row["kind"]))
        for number, same in named.items():
            found.setdefault(number, same)
        self._give("client", found)

    # --- what things are --------------------------------------------------------------------------------------------

    def _project_contents(self, rows: Mapping[str, Rows], original: bool) -> Iterable[tuple[int, Hashable]]:
        for row in rows["record"]:
            if row["project_id"] is not None:
                yield row["project_id"], row["id"] if original else self._of["record"][row["id"]]

    def _project_look(self, row: Row) -> Hashable:
        return row["client_id"], row["name"]

    def _step_look(self, row: Row) -> Hashable:
        return row["project_id"], row["record_id"], row["to_stage"]

    def _hanging_look(self, row: Row) -> Hashable:
        return row["record_id"], row.get("kind"), row["what"]


def _thread_contents(rows: Mapping[str, Rows], _original: bool) -> Iterable[tuple[int, Hashable]]:
    return ((row["thread_id"], row["message_id"]) for row in rows["thread_key"])


def _thread_look(row: Row) -> Hashable:
    return row["subject"], row["started_at"]
