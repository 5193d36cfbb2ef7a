"""Comparing as the user says, in canonical SQL, where no other kind fits."""

from __future__ import annotations

from dataclasses import KW_ONLY

from pipelines.comparators.comparator import Comparator
from pipelines.declared import declared
from pipelines.expressions import problems_of, substituted

_VALUES = frozenset({"expected", "actual"})


@declared
class Custom(Comparator):
    """Conditions of your own, in canonical SQL over `expected` and `actual`.

    `same`: when two values are equal; values that are the same to the last bit are so in any case. `near`: when they
    differ within tolerance. `distance`: by how much `actual` exceeds `expected`, as a double.
    """

    same: str
    _: KW_ONLY
    near: str | None = None
    distance: str | None = None

    def accepts(self, kind: str) -> bool:  # noqa: ARG002 (whether the expressions fit, only the engine can say)
        return True

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({expected}, {actual}) OR COALESCE({self._over(self.same, expected, actual)}, FALSE)"

    def within(self, expected: str, actual: str) -> str:
        return f"COALESCE({self._over(self.near, expected, actual)}, FALSE)" if self.near else "FALSE"

    def delta(self, expected: str, actual: str) -> str:
        if self.distance is None:
            return super().delta(expected, actual)
        distance = f"CAST({self._over(self.distance, expected, actual)} AS DOUBLE)"
        return f"CASE WHEN NOT is_not_a_number({distance}) THEN {distance} END"

    def problems(self) -> list[str]:
        expressions = filter(None, (self.same, self.near, self.distance))
        return [problem for sql in expressions for problem in problems_of(sql, _VALUES)]

    @staticmethod
    def _over(sql: str, expected: str, actual: str) -> str:
        return substituted(sql, {"expected": expected, "actual": actual})
