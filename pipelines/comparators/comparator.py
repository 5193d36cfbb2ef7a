"""What every kind of comparator answers. The kinds themselves live beside this module, by what they compare."""

from __future__ import annotations

from abc import ABC, abstractmethod

INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


class Comparator(ABC):
    """What every kind of comparator answers."""

    @abstractmethod
    def accepts(self, kind: str) -> bool:
        """Whether it compares values of this engine type, such as DECIMAL(12,2)."""

    def canonical(self, value: str) -> str:
        """A value as it is compared."""
        return value

    def equal(self, expected: str, actual: str) -> str:
        """Condition: the two are the same."""
        return f"{self.canonical(expected)} = {self.canonical(actual)}"

    def within(self, expected: str, actual: str) -> str:  # noqa: ARG002 (part of the protocol)
        """Condition: the two differ, but by no more than the declared tolerance."""
        return "FALSE"

    def delta(self, expected: str, actual: str) -> str:  # noqa: ARG002 (part of the protocol)
        """By how much actual exceeds expected, as DOUBLE (seconds for times, days for dates)."""
        return "CAST(NULL AS DOUBLE)"

    def signature(self, value: str) -> str:
        """A text that only values have that are equal to this one: what rows that share a key are told apart by."""
        return f"exact_text({self.canonical(value)})"

    def problems(self) -> list[str]:
        """What is wrong with the comparator by itself; whether it fits the field's types is checked by the loader."""
        return []
