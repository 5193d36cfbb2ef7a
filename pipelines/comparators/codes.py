"""Comparing values that are the same or not, with nothing in between: codes, keys, enumerations."""

from __future__ import annotations

from collections import Counter

from pipelines.comparators.comparator import INTEGERS, Comparator
from pipelines.declared import declared
from pipelines.expressions import literal

_SCALAR = frozenset({"BOOLEAN", "VARCHAR", "DATE", "TIME", "BLOB", "INTERVAL"})


@declared
class Exact(Comparator):
    """Equal means the same to the last bit; decimals by value, so that 10.10 is 10.1.

    For text, codes, keys, integers up to 128 bits, decimals, booleans, dates, times, timestamps, durations, bytes.
    """

    def accepts(self, kind: str) -> bool:
        return kind in INTEGERS or kind in _SCALAR or kind.startswith(("DECIMAL", "TIMESTAMP"))

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({expected}, {actual})"


@declared
class Enumeration(Comparator):
    """Texts of a closed vocabulary: equal when they are the same, or declared to mean one thing.

    `same`: groups of texts that both models use for one meaning; a text stands in one group at most.
    """

    same: tuple[tuple[str, ...], ...]

    def accepts(self, kind: str) -> bool:
        return kind == "VARCHAR"

    def canonical(self, value: str) -> str:
        whens = " ".join(
            f"WHEN {value} IN ({', '.join(map(literal, group))}) THEN {literal(group[0])}" for group in self.same
        )
        return f"CASE {whens} ELSE {value} END"

    def problems(self) -> list[str]:
        if not self.same or not all(self.same):
            return ["an enumeration has groups of texts, none of them empty; Exact() compares texts as they are"]
        counts = Counter(text for group in self.same for text in group)
        return [f'"{text}" stands in more than one place' for text, count in counts.items() if count > 1]
