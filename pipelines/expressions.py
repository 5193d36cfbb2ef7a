"""Canonical SQL: the one language of rules, conditions and the plan, and its compilation for an engine.

Canonical SQL is a small portable subset (the allow-lists below) plus named primitives for whatever engines spell or
round differently. Anything outside is refused, never passed through: free transpiling is silently wrong (FINDINGS, "One
plan"). Add a primitive to `primitives.py`, a node here; keep relations, files and declarations out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

import sqlglot
import sqlglot.dialects.duckdb  # loaded at the first compilation otherwise
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.generator import Generator

from pipelines.errors import did_you_mean
from pipelines.primitives import AGGREGATES, PRIMITIVES
from pipelines.spelling import written

_SCALAR_NODES: frozenset[type[exp.Expr]] = frozenset({
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Tuple,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between, exp.Like,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Coalesce,
    exp.Nullif, exp.Substring, exp.Length, exp.Replace, exp.Abs, exp.Greatest, exp.Least, exp.Cast, exp.DataType,
    exp.DataTypeParam, exp.Anonymous,
})  # fmt: skip
_RELATIONAL_NODES: frozenset[type[exp.Expr]] = frozenset({
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.With, exp.CTE,
    exp.Union, exp.Subquery, exp.Table, exp.TableAlias, exp.Alias, exp.Star, exp.Distinct, exp.Window, exp.WindowSpec,
    exp.RowNumber, exp.Count, exp.Sum, exp.Min, exp.Max, exp.Filter, exp.Exists, exp.Limit, exp.Lag, exp.Lead,
})  # fmt: skip
_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif,
    exp.Case,
)  # fmt: skip
_ARITHMETIC = frozenset({exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Abs})
_NOT_TRIED = (exp.AggFunc, exp.Window, exp.Query)  # DuckDB takes none of them inside TRY
_PLAN_NODES = _SCALAR_NODES | _RELATIONAL_NODES
_IN_QUESTION = frozenset({exp.Anonymous, exp.DataType})  # allowed, but not all of them
_TYPES = frozenset({
    exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.BIGINT, exp.DType.INT, exp.DType.DECIMAL, exp.DType.DOUBLE,
    exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ,
})  # fmt: skip
_FUNCTIONS = ("coalesce", "nullif", "substring", "length", "replace", "abs", "greatest", "least", "cast", *PRIMITIVES)


def quote(name: str) -> str:
    """A column or relation name as a canonical identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text value as a canonical literal."""
    return "'" + value.replace("'", "''") + "'"


@lru_cache(maxsize=4096)
def columns_of(sql: str) -> tuple[str, ...]:
    """The columns a scalar expression reads, in order of first use; nothing for text that does not parse."""
    tree = _read(sql)
    if isinstance(tree, str):
        return ()
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))


@lru_cache(maxsize=4096)
def comparisons_of(sql: str) -> tuple[str, ...]:
    """The comparisons inside a scalar expression, each by itself; nothing for text that does not parse."""
    tree = _read(sql)
    if isinstance(tree, str):
        return ()
    found = (
        node
        for node in tree.find_all(*_COMPARISONS, bfs=False)
        if not isinstance(node, exp.Case) or node.args.get("this")
    )
    return tuple(dict.fromkeys(node.sql(normalize_functions=False) for node in found))


@lru_cache(maxsize=4096)
def constants_of(sql: str) -> tuple[str, ...]:
    """What is computed of constants inside a scalar expression, as a whole each; nothing where one is missing."""
    tree = _read(sql)
    if isinstance(tree, str):
        return ()
    # Not below one that is found already.
    walked = tree.walk(prune=_is_constant)
    return tuple(dict.fromkeys(node.sql(normalize_functions=False) for node in walked if _is_constant(node)))


def substituted(sql: str, columns: Mapping[str, str]) -> str:
    """A scalar expression with its columns replaced by canonical expressions; columns not named stay."""
    tree = sqlglot.parse_one(sql)

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.name not in columns:
            return node
        expression = sqlglot.parse_one(columns[node.name])
        return expression if isinstance(expression, exp.Column) else exp.Paren(this=expression)

    return f"({tree.transform(replaced).sql()})"


def flattened(sql: str) -> str:
    """A scalar expression whose qualified columns are columns called like that: `t.c` as `"t.c"`.

    Text that does not parse stays as it is.
    """
    tree = _parse(sql)
    if isinstance(tree, str):
        return sql

    def named(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or not node.table:
            return node
        return exp.column(exp.to_identifier(".".join(part.name for part in node.parts), quoted=True))

    return tree.transform(named).sql()


def problems_of(sql: str, columns: frozenset[str] | None = None) -> list[str]:
    """Why a user's scalar expression is not canonical; empty when it is. With `columns`, unknown ones are named too."""
    tree = _parse(sql)
    if isinstance(tree, str):
        return [f"not canonical SQL: {tree}"]
    found = _refused(tree, _SCALAR_NODES)
    found += ["a comment has no place in an expression"] if any(node.comments for node in tree.walk()) else []
    qualified = (column for column in tree.find_all(exp.Column) if column.table)
    found += [f'"{column.sql()}": name the column alone, "{column.name}"' for column in qualified]
    called = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    found += [f"function {name} works on groups of rows, not on one row" for name in sorted(called & AGGREGATES)]
    if columns is not None:
        unknown = (name for name in columns_of(sql) if name not in columns)
        found.extend(f'unknown column "{name}"; {did_you_mean(name, columns)}' for name in unknown)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def compile_sql(sql: str, engine: str = "duckdb") -> str:
    """Canonical SQL (scalar or whole query) in an engine's own dialect.

    A cast or an operation that has no result for a row gives NULL. Raises ValueError for anything outside the subset:
    that is a defect of ours, since declarations are checked when loaded.
    """
    tree = _parse(sql)
    if isinstance(tree, str):
        raise ValueError(f"not canonical SQL: {tree}\n{sql}")  # noqa: TRY004 (the text is wrong, not a type)
    refused = _refused(tree, _PLAN_NODES)
    if refused:
        raise ValueError(f"{'; '.join(refused)}\n{sql}")
    return _generator(engine).generate(_expanded(tree, engine), copy=False)


@cache
def _generator(engine: str) -> Generator:
    """What writes trees in the engine's dialect: to find and make one takes longer than it takes to write most."""
    return Dialect.get_or_raise(engine).generator(comments=False)


def _parse(sql: str) -> exp.Expr | str:
    """The syntax tree, or why there is none."""
    try:
        return sqlglot.parse_one(sql)
    except SqlglotError as error:
        return str(error).splitlines()[0]


@lru_cache(maxsize=64)
def _read(sql: str) -> exp.Expr | str:
    """The same for what is only looked at, one question after the other."""
    return _parse(sql)


def _is_constant(node: exp.Expr) -> bool:
    """Whether something is computed, of nothing but constants that are there."""
    return (
        isinstance(node, exp.Cast | exp.Add | exp.Sub | exp.Mul | exp.Neg | exp.Abs)
        and node.find(exp.Column, exp.Null) is None
    )


def _refused(tree: exp.Expr, allowed: frozenset[type[exp.Expr]]) -> list[str]:
    """Why a tree is outside the subset; empty when it is not."""
    unquestioned = allowed - _IN_QUESTION
    doubtful = (node for node in tree.walk() if type(node) not in unquestioned)
    return [problem for node in doubtful for problem in _refusals(node, allowed)]


def _refusals(node: exp.Expr, allowed: frozenset[type[exp.Expr]]) -> list[str]:
    if isinstance(node, exp.Anonymous):
        return _primitive_refusals(node)
    if type(node) not in allowed:
        return [f"{_named(node)} is outside the portable subset; {did_you_mean(_named(node), _FUNCTIONS)}"]
    return _type_refusals(node) if isinstance(node, exp.DataType) else []


def _type_refusals(node: exp.DataType) -> list[str]:
    if node.this not in _TYPES:
        valid = ", ".join(sorted(kind.value for kind in _TYPES))
        return [f"type {node.sql()} is outside the portable subset; valid: {valid}"]
    wanted = ("precision", "scale") if node.this is exp.DType.DECIMAL else ()
    if len(node.expressions) != len(wanted):
        return [f"type {node.this.value} takes {' and '.join(wanted) or 'no length'}"]
    return []


def _primitive_refusals(node: exp.Anonymous) -> list[str]:
    name = node.name.lower()
    if name not in PRIMITIVES:
        return [f"function {name} is outside the portable subset; {did_you_mean(name, _FUNCTIONS)}"]
    arity = PRIMITIVES[name].arity
    if len(node.expressions) != arity:
        return [f"{name} takes {arity} argument{'s' if arity != 1 else ''}, {len(node.expressions)} given"]
    return []


def _named(node: exp.Expr) -> str:
    return node.sql_name().lower() if isinstance(node, exp.Func) else node.key


def _expanded(node: exp.Expr, engine: str) -> exp.Expr:
    """The tree in the engine's own spelling, from the leaves up; no cast and no arithmetic may end a run.

    The tree is changed where it stands: copying what is below every node would cost more than all else here.
    """
    kind = type(node)
    # One TRY for each operation, none for the whole: see the note in `primitives`.
    tried = _may_have_no_result(node) and not node.find(*_NOT_TRIED)
    for part in list(node.iter_expressions()):
        _expanded(part, engine)
    if kind is exp.Anonymous:
        return node.replace(_spelt(node, engine))
    if kind is exp.Cast:
        return node.replace(exp.TryCast(this=node.this, to=node.args["to"]))
    return _within_try(node) if tried else node


def _may_have_no_result(node: exp.Expr) -> bool:
    """Whether an operation can leave what its type or the engine can hold; a sign before a number cannot."""
    if isinstance(node, exp.Substring):
        bounds = (node.args.get(name) for name in ("start", "length"))
        return any(bound.find(exp.Column) for bound in bounds if bound)
    return type(node) in _ARITHMETIC and not (isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal))


def _within_try(node: exp.Expr) -> exp.Expr:
    tried = exp.Anonymous(this="TRY")
    node.replace(tried)
    tried.append("expressions", node)
    return tried


def _spelt(node: exp.Expr, engine: str) -> exp.Expr:
    """A primitive call, its arguments expanded, as the engine spells it."""
    arguments = [_argument(argument, engine) for argument in node.expressions]
    # A Var is generated as it stands: the spelling is final engine SQL.
    return exp.Var(this=written(node.name.lower(), engine, arguments))


def _argument(argument: exp.Expr, engine: str) -> str:
    """An argument in the engine's dialect, in parentheses where the spelling around it could tear it apart."""
    sql = _generator(engine).generate(argument, copy=False)
    whole = exp.Column | exp.Literal | exp.Paren | exp.Func | exp.Null | exp.Var
    return sql if isinstance(argument, whole) else f"({sql})"
