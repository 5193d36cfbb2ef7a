"""Asking: what the engine makes of an expression over columns of some types. What is to be asked is `binding`'s.

Relations of stand-in rows are in the engine; whatever it would refuse on the night of the run it refuses here. Fields
resemble each other, and declarations are loaded again and again: what was asked once is known from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from pipelines.engine import Engine
from pipelines.expressions import columns_of, comparisons_of, constants_of, literal, quote

TEXT = "\x01"  # a text that nothing can be read from
Question = tuple[str, tuple[tuple[str, str | None], ...]]  # an expression, and the types of the columns it reads
_TYPES: dict[Question, str] = {}  # of what was asked and not refused; a type follows from nothing but the question
_PLAIN = {
    r"^[\w ]+ Error: ": "",
    r"\. You might need to add.*| - an explicit cast is required": "",
    r"No function matches the given name and argument types '(.*)'": r"there is no \1",
    r"(?<=DECIMAL)\(\d+,\d+\)": "",
}


class MisfitError(Exception):
    """What the engine has against an expression."""


def stand_in(schema: pa.Schema) -> pa.Table:
    """One row of these types, in which every text is one that nothing can be read from, and all else is missing."""
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    values = [[TEXT] if any(is_text(kind) for is_text in texts) else [None] for kind in schema.types]
    return pa.table([pa.array(value, kind) for value, kind in zip(values, schema.types, strict=True)], schema.names)


@dataclass(frozen=True)
class Expression:
    """Canonical SQL over a relation of stand-in rows, beside which stand `texts`: columns that a run joins to it."""

    sql: str
    over: str
    texts: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What it is selected from."""
        joined = [f"CAST(NULL AS VARCHAR) AS {quote(name)}" for name in self.texts]
        return f"(SELECT {', '.join(['r.*', *joined])} FROM {quote(self.over)} AS r) AS q"


@dataclass(frozen=True)
class Asking:
    """An engine with relations of stand-in rows, which stay as they are for as long as they are asked about."""

    engine: Engine
    _relations: dict[str, dict[str, str]] = field(default_factory=dict)  # the types of those asked about before

    def types(self, relation: str) -> dict[str, str]:
        """The columns of a relation and their types."""
        if relation not in self._relations:
            self._relations[relation] = self.engine.types(relation)
        return self._relations[relation]

    def type_of(self, expression: Expression) -> str:
        """The type of an expression. Raises MisfitError when the engine refuses it."""
        question = self._question(expression)
        if question not in _TYPES:
            try:
                (_TYPES[question],) = self._asked([expression])
            except duckdb.Error as error:
                raise MisfitError(self._in_words(error, expression)) from None
        return _TYPES[question]

    def learn(self, expressions: Iterable[Expression]) -> None:
        """Ask about several over one relation at once, which is sooner done; if one is refused, nothing is learned."""
        asked = {self._question(each): each for each in expressions}
        new = {question: each for question, each in asked.items() if question not in _TYPES}
        with suppress(duckdb.Error, MisfitError):
            _TYPES.update(zip(new, self._asked([*new.values()]) if new else (), strict=True))

    def _question(self, expression: Expression) -> Question:
        columns = self.types(expression.over)
        return expression.sql, tuple((name, columns.get(name)) for name in columns_of(expression.sql))

    def compared(self, expected: Expression, actual: Expression) -> str:
        """A relation with a value of either expression, as a comparator gets them: one for all pairs of such types."""
        name = f"{self.type_of(expected)} and {self.type_of(actual)}"
        if name not in self._relations:
            self.engine.materialise(
                name,
                f"SELECT e.made AS expected, a.made AS actual "
                f"FROM {self._value(expected)} AS e JOIN {self._value(actual)} AS a ON TRUE",
            )
        return name

    def _value(self, expression: Expression) -> str:
        sql = literal(TEXT) if self.type_of(expression) == "VARCHAR" else expression.sql
        return f"(SELECT {sql} AS made FROM {expression.source})"

    def _asked(self, expressions: Sequence[Expression]) -> list[str]:
        """The types of expressions over one relation. Raises what the engine raises, and MisfitError."""
        over, texts = expressions[0].over, dict.fromkeys(name for each in expressions for name in each.texts)
        source = Expression("", over, tuple(texts)).source
        columns = (f"{each.sql} AS made{number}" for number, each in enumerate(expressions))
        types = self.engine.types_of(f"SELECT {', '.join(columns)} FROM {source}")
        comparisons = tuple(dict.fromkeys(one for each in expressions for one in comparisons_of(each.sql)))
        self._refuse_comparing_text(comparisons, source)
        self._refuse_nothings(tuple(dict.fromkeys(one for each in expressions for one in constants_of(each.sql))))
        return list(types.values())

    def _refuse_comparing_text(self, comparisons: tuple[str, ...], source: str) -> None:
        """Engines compare text with a number by reading every text as one: the first that is none ends the run."""
        culprits = [] if self._runs(comparisons, source) else [c for c in comparisons if not self._runs((c,), source)]
        if culprits:
            hint = "compare with text, '9', or read the number with to_integer"
            raise MisfitError(f"compares text with another type: {', '.join(culprits)} ({hint})")

    def _refuse_nothings(self, constants: tuple[str, ...]) -> None:
        """A number beyond its type, a date that there is not: what is made of it would be missing in every row."""
        columns = [f"{constant} IS NULL AS nothing{number}" for number, constant in enumerate(constants)]
        (found,) = self.engine.rows(f"SELECT {', '.join(columns)}") if columns else ({},)
        nothings = [constant for constant, is_nothing in zip(constants, found.values(), strict=True) if is_nothing]
        if nothings:
            raise MisfitError(f"has no result that its type can hold: {', '.join(nothings)}")

    def _runs(self, conditions: tuple[str, ...], source: str) -> bool:
        """Whether the engine evaluates these conditions on text that says nothing."""
        columns = [f"{condition} AS compared{number}" for number, condition in enumerate(conditions)]
        try:
            self.engine.rows(f"SELECT {', '.join(columns)} FROM {source}") if columns else None
        except duckdb.ConversionException:
            return False
        return True

    def _in_words(self, error: duckdb.Error, expression: Expression) -> str:
        """The engine's first line without its jargon, and the types of the columns it is about."""
        reason = str(error).splitlines()[0]
        for jargon, plain in _PLAIN.items():
            reason = re.sub(jargon, plain, reason)
        if not isinstance(error, duckdb.BinderException):
            return f"is refused: {reason}"
        types = self.types(expression.over)
        columns = ", ".join(f"{name} {types[name]}" for name in columns_of(expression.sql) if name in types)
        return f"does not fit the types of its columns ({columns}): {reason}"
