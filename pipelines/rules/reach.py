"""Rules that reach further: references through another entity's identity map, and canonical SQL."""

from __future__ import annotations

from typing import ClassVar

from pipelines.declared import declared
from pipelines.expressions import problems_of, quote
from pipelines.keys import key_text, shown_key
from pipelines.rules.rule import REFERENCE_PREFIX, Failure, Operand, Rule, text_of, value_of


@declared
class Reference(Rule):
    """The service key of another entity ("context.entity"), found through that entity's identity map.

    `of` gives the legacy key of the other entity, part by part. Several service counterparts: the primary one.
    """

    to: str
    of: tuple[Operand, ...]

    reason: ClassVar[str] = "unlinked_reference"

    def inputs(self) -> tuple[Operand, ...]:
        return self.of

    def references(self) -> tuple[Rule, ...]:
        return (self,)

    def key(self) -> str:
        """The canonical text of the legacy key referred to; missing when all parts are, or one cannot be translated.

        That some are missing may be so in the key too; where it may not, no row has such a key.
        """
        parts = tuple(text_of(part) for part in self.of)
        if len(parts) == 1:
            return key_text(parts)
        there = " OR ".join(f"{value_of(part)} IS NOT NULL" for part in self.of)
        return f"CASE WHEN ({there}) AND NOT {self.torn()} THEN {shown_key(parts)} END"

    @property
    def column(self) -> str:
        """The name under which `translation` joins the counterpart's service key to the legacy row."""
        return f"{REFERENCE_PREFIX}{self.to} {self.key()}"

    def value(self) -> str:
        return quote(self.column)

    def problems(self) -> list[str]:
        return [] if self.to.count(".") == 1 else [f'"{self.to}" must read "context.entity"']


@declared
class Sql(Rule):
    """A canonical SQL expression over the raw columns, for what no other kind says.

    Missing results are never failures.
    """

    expression: str

    def inputs(self) -> tuple[Operand, ...]:
        return ()

    def value(self) -> str:
        return f"({self.expression})"

    def own_failures(self) -> tuple[Failure, ...]:
        return ()

    def problems(self) -> list[str]:
        return problems_of(self.expression)
