"""What every kind of translation rule answers. The kinds themselves live beside this module, by what they work on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

from pipelines.expressions import columns_of, literal, quote

REFERENCE_PREFIX = "__reference "  # of the columns that `translation` joins for references: never a raw column's name


@dataclass(frozen=True)
class Failure:
    """When a rule fails: a canonical condition, the reason to report, and which kind of rule it is."""

    condition: str
    reason: str
    rule: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a translation for `explain`: what is done, and the canonical SQL that shows its result."""

    label: str
    value: str


class Rule(ABC):
    """What every kind of rule answers; all SQL is canonical and reads the raw columns of one side."""

    reason: ClassVar[str] = "untranslatable"  # what is reported when this kind of rule fails

    def inputs(self) -> tuple[Operand, ...]:
        """The columns and rules this rule is made from: by default its one operand `of`."""
        operand: Operand = vars(self)["of"]
        return (operand,)

    @abstractmethod
    def value(self) -> str:
        """The translated value."""

    def own_failures(self) -> tuple[Failure, ...]:
        """When this rule cannot translate what its inputs gave it: by default, something came in and nothing out."""
        came_in = " AND ".join(f"{value_of(operand)} IS NOT NULL" for operand in self.inputs())
        return (Failure(f"{came_in} AND {self.value()} IS NULL", self.reason),)

    @property
    def label(self) -> str:
        """The rule's name in findings and explanations: its kind in lower case."""
        return type(self).__name__.lower()

    def problems(self) -> list[str]:
        """What is wrong with the rule by itself; columns are checked against the contract by the loader."""
        return []

    # What follows from the above, the same for every kind.

    def failures(self) -> tuple[Failure, ...]:
        """All failures, those of inner rules first."""
        inner = (failure for operand in self.inputs() if isinstance(operand, Rule) for failure in operand.failures())
        return (*inner, *(replace(failure, rule=self.label) for failure in self.own_failures()))

    def torn(self) -> str:
        """Canonical condition: one of the rules inside this one cannot translate what came in."""
        inner = (failure for operand in self.inputs() if isinstance(operand, Rule) for failure in operand.failures())
        conditions = " OR ".join(f"({failure.condition})" for failure in inner)
        return f"COALESCE({conditions}, FALSE)" if conditions else "FALSE"

    def steps(self) -> tuple[Step, ...]:
        """The translation step by step, inner rules first."""
        inner = (step for operand in self.inputs() if isinstance(operand, Rule) for step in operand.steps())
        return (*inner, Step(self.label, self.value()))

    def columns(self) -> tuple[str, ...]:
        """The raw columns read, read off the syntax tree of everything rendered."""
        texts = [self.value(), *(failure.condition for failure in self.failures())]
        names = dict.fromkeys(name for text in texts for name in columns_of(text))
        return tuple(name for name in names if not name.startswith(REFERENCE_PREFIX))

    def reused(self) -> tuple[str, ...]:
        """Canonical SQL that several places of the rule read, inner parts first: worth making only once."""
        return tuple(
            part
            for operand in self.inputs()
            if isinstance(operand, Rule)
            for part in (*operand.reused(), operand.value())
        )

    def references(self) -> tuple[Rule, ...]:
        """The `Reference` rules inside this one."""
        return tuple(found for operand in self.inputs() if isinstance(operand, Rule) for found in operand.references())

    def all_problems(self) -> list[str]:
        """Problems of this rule and of the rules inside it."""
        inner = (p for operand in self.inputs() if isinstance(operand, Rule) for p in operand.all_problems())
        return [*inner, *self.problems()]


Operand = str | Rule


def value_of(operand: Operand) -> str:
    """Canonical SQL of an operand: a column by name, a rule by its value."""
    return operand.value() if isinstance(operand, Rule) else quote(operand)


def text_of(operand: Operand) -> str:
    """An operand as text, for rules that work on spellings."""
    return f"text_of({value_of(operand)})"


def constant(value: str | int | bool | None) -> str:  # noqa: FBT001 (a value, not a switch)
    """A Python value as a canonical literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, int) else literal(value)
