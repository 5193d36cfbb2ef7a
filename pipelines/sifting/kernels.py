"""Kernels: canonical SQL spelt for Polars, another pack of primitives, for a column of text that is at hand in a frame.

To hand a column to the engine and to take back what it makes of it costs several times what a kernel does. Only what
Polars means exactly as the engine does is spelt here; an expression of which any part is not is the engine's.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import sqlglot
from sqlglot import exp

TEXT = "text"  # what the column is called in the frame: Polars takes some names for patterns
Kernel = Callable[..., pl.Expr]


def value_kernel(sql: str) -> pl.Expr | None:
    """What a scalar expression over one column, of text, gives; None where a part of it has no kernel."""
    return _value(sqlglot.parse_one(sql))


def condition_kernel(sql: str) -> pl.Expr | None:
    """Whether a condition on one column, of text, is true, missing where that is not known; None as above."""
    return _condition(sqlglot.parse_one(sql))


def _to_decimal(text: pl.Expr, precision: int, scale: int) -> pl.Expr:
    # Polars rounds, and reads exponents.
    exact = rf"^[+-]?([0-9]+(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{0,{scale}}}0*)$"
    number = text.cast(pl.Decimal(precision, scale), strict=False)
    return pl.when(text.str.contains(exact)).then(number)


_OF_TEXT: dict[str, Kernel] = {"text_of": lambda text: text, "trim_blanks": lambda text: text.str.strip_chars()}
_OF_NUMBER: dict[str, Kernel] = {
    "to_integer": lambda text: text.cast(pl.Int64, strict=False),
    "to_decimal": _to_decimal,
}


def _text(node: exp.Expr) -> pl.Expr | None:
    """What gives a text."""
    match node:
        case exp.Column():
            return pl.col(TEXT)
        case exp.Paren():
            return _text(node.this)
        case exp.Nullif(expression=exp.Literal(is_string=True) as nothing):
            text = _text(node.this)
            return None if text is None else text.replace(nothing.this, None)
        case _:
            return _called(node, _OF_TEXT)


def _value(node: exp.Expr) -> pl.Expr | None:
    """What gives a text or a number."""
    if isinstance(node, exp.Paren):
        return _value(node.this)
    if isinstance(node, exp.Cast):
        return _widened(node)
    text = _text(node)
    return _called(node, _OF_NUMBER) if text is None else text


def _widened(node: exp.Cast) -> pl.Expr | None:
    """A decimal that is read from text, in a type of as many places and no fewer digits: nothing is rounded."""
    number, to = _value(node.this), [int(part.name) for part in node.to.expressions]
    if number is None or not isinstance(node.this, exp.Anonymous) or len(node.this.expressions) != 1 + len(to):
        return None
    digits, places = (int(argument.name) for argument in node.this.expressions[1:])
    return number.cast(pl.Decimal(*to)) if places == to[1] and digits <= to[0] else None


def _called(node: exp.Expr, kernels: dict[str, Kernel]) -> pl.Expr | None:
    """A primitive of a text, with numbers for its other arguments."""
    if not isinstance(node, exp.Anonymous) or node.name.lower() not in kernels:
        return None
    first, *others = node.expressions
    text = _text(first)
    if text is None or not all(isinstance(other, exp.Literal) and other.is_int for other in others):
        return None
    return kernels[node.name.lower()](text, *(int(other.name) for other in others))


def _condition(node: exp.Expr) -> pl.Expr | None:
    match node:
        case exp.Paren():
            return _condition(node.this)
        case exp.Not():
            inner = _condition(node.this)
            return None if inner is None else ~inner
        case exp.Is(expression=exp.Null()):
            value = _value(node.this)
            return None if value is None else value.is_null()
        case exp.And():
            both = _condition(node.this), _condition(node.expression)
            return None if both[0] is None or both[1] is None else both[0] & both[1]
        case _:
            return None
