"""Semantics: where a condition over linked entities does not hold, on either side, with all rows involved.

Both sides are read in the service's language. Rows belong together through references: in legacy by the legacy key that
the reference reads, in the service by the service key that stands in its field. A combination of rows that is
contradictory on both sides is one finding. Which snapshots are read, and what is written, is `ruling`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from pipelines import classification, identity, keys, translation
from pipelines.declarations import Reference, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live, present, row_key
from pipelines.rulebook import BoundRule, Member
from pipelines.schemas import column, table_schema

RESULTS = table_schema(
    column("context", pa.string(), "Bounded context that declares the rule"),
    column("entity", pa.string(), "Business entity that findings are about: the first one of the rule"),
    column("rule", pa.string(), "Name of the rule"),
    column("side", pa.string(), "legacy or service: whose rows were looked at"),
    column("over", pa.string(), "All entities of the rule, the first one first"),
    column("condition", pa.string(), "What must hold"),
    column("checked", pa.int64(), "Combinations of linked rows of which it could be decided"),
    column("violated", pa.int64(), "Combinations that violate the rule"),
    column("undecided", pa.int64(), "Combinations that a missing value leaves undecided"),
    column("violation_rate", pa.float64(), "violated / checked"),
    column("limit", pa.float64(), "Highest rate allowed"),
    column("verdict", pa.string(), "met, warned, breached or not_measured"),
    column("not_measured_because", pa.string(), "What is not there for this date; missing when the rule was evaluated"),
    column("criticality", pa.string(), "critical, major or minor"),
    column("owner", pa.string(), "Team that answers for it"),
    column("run_id", pa.string(), "Run that wrote this row"),
)  # fmt: skip
VIOLATIONS = table_schema(*classification.SCHEMA, column("rule", pa.string(), "Name of the rule that does not hold"))


def rows_relation(member: Member, side: Side) -> str:
    """The name of the relation of a member's raw rows."""
    return f"{side} of {member.path}"


def links_relation(path: str) -> str:
    """The name of the relation of an entity's links (`identity.SCHEMA`)."""
    return f"links of {path}"


def evaluate(engine: Engine, bound: BoundRule, side: Side) -> dict[str, int]:
    """Evaluate a rule on one side: how many combinations of rows were `checked`, `violated` and `undecided`.

    Needs `rows_relation` of every member, and in legacy the relations that `translation` resolves references through.
    Makes `violations of <rule> in <side>` (`key <n>`...): the keys of the rows involved, in the order of the members.
    """
    rows = _legacy_rows if side is Side.LEGACY else _service_rows
    for at, member in enumerate(bound.members):
        rows(engine, bound, at, member)
    combined = f"{side} combinations"
    engine.view(combined, _combined(bound))
    engine.materialise(
        violations_relation(bound, side),
        f"SELECT DISTINCT {', '.join(_keys(bound))} FROM {quote(combined)} WHERE NOT ({bound.condition})",
    )
    counted = engine.rows(
        f"""
        SELECT COUNT(*) FILTER (WHERE held IS NOT NULL) AS checked, COUNT(*) FILTER (WHERE NOT held) AS violated,
            COUNT(*) FILTER (WHERE held IS NULL) AS undecided
        FROM (SELECT {bound.condition} AS held FROM {quote(combined)}) AS decided
        """
    )[0]
    return {name: int(str(count)) for name, count in counted.items()}


def violations_relation(bound: BoundRule, side: Side) -> str:
    """The name of the relation of a side's violations."""
    return f"violations of {bound.rule.name} in {side}"


def know_counterparts(engine: Engine, path: str, on: str) -> None:
    """Make the relations that say which key of the other side a key stands for, of the entity's `links_relation`."""
    engine.view(_counterparts(path, Side.LEGACY), f"SELECT * FROM {quote(translation.identity_relation(path))}")
    engine.materialise(
        _counterparts(path, Side.SERVICE),
        f"""
        SELECT service_key, CASE WHEN COUNT(DISTINCT legacy_key) = 1 THEN MIN(legacy_key) END AS legacy_key
        FROM {quote(links_relation(path))}
        WHERE {identity.valid_on(on)} AND problem IS NULL AND NOT is_merged
        GROUP BY service_key
        """,
    )


def violations(bound: BoundRule) -> str:
    """The query of a rule's violations, those of both sides together: keys of all rows, and on which side they stand.

    Columns: `legacy <n>`, `service <n>` of each member; `in legacy`, `in service`.
    """
    keyed = [f"{side} {at}" for at in range(len(bound.members)) for side in Side]
    columns = ", ".join(map(quote, keyed))
    sides = " UNION ALL ".join(_of_side(bound, side) for side in bound.rule.sides)
    found = ", ".join(f"MAX(CASE WHEN side = {literal(side)} THEN 1 ELSE 0 END) = 1 AS {quote(f'in {side}')}"
                      for side in Side)  # fmt: skip
    return f"SELECT {columns}, {found} FROM ({sides}) AS sided GROUP BY {columns}"


def findings(bound: BoundRule, of: str) -> str:
    """The query of a rule's violations (relation `of`, see `violations`) as discrepancies without their first day."""
    first, rule = bound.members[0], bound.rule
    values = {
        "discrepancy_id": _fingerprint(bound),
        "context": literal(first.context),
        "entity": literal(first.entity.name),
        "legacy_key": quote("legacy 0"),
        "service_key": quote("service 0"),
        "type": literal("semantic_contradiction"),
        "reason": literal("rule_violated"),
        "delta": "CAST(NULL AS DOUBLE)",
        "in_flight": "FALSE",
        "lag_seconds": "CAST(NULL AS BIGINT)",
        "criticality": literal(rule.criticality),
        "owner": literal(rule.owner.team),
        "system_of_record": literal(first.entity.system_of_record),
        "evidence": _evidence(bound),
        "translation_version": literal(first.entity.translation_version),
        "rule": literal(rule.name),
    }
    left = ("first_seen", "last_seen", "run_id")
    columns = [
        f"{values.get(name, 'CAST(NULL AS VARCHAR)')} AS {name}" for name in VIOLATIONS.names if name not in left
    ]
    return f"SELECT {', '.join(columns)} FROM {quote(of)}"


def _legacy_rows(engine: Engine, bound: BoundRule, at: int, member: Member) -> None:
    """Make `member <n>` of legacy rows; the keys that references read are kept beside the translated fields."""
    raw, translated = f"raw of {member.path}", f"translated of {member.path}"
    keys_read = [
        f"{join.field.rule.key()} AS {_link(join.field.name)}"
        for join in bound.joins
        if join.referring == at and isinstance(join.field.rule, Reference)
    ]
    source = quote(rows_relation(member, Side.LEGACY))
    engine.view(raw, f"SELECT {', '.join(['r.*', *keys_read])} FROM {source} AS r")
    # What earlier versions said is asked of no rule: the entities that only they refer to are not at hand.
    fields = tuple(replace(field, earlier={}) for field in bound.read_of(member))
    translation.translate(engine, replace(member.entity, fields=fields), rows=raw, into=translated)
    links = [_link(join.field.name) for join in bound.joins if join.referring == at]
    columns = ["legacy_key AS __key", *links, *_read(bound, member)]
    engine.view(f"member {at}", f"SELECT {', '.join(columns)} FROM {quote(translated)} WHERE legacy_key IS NOT NULL")


def _service_rows(engine: Engine, bound: BoundRule, at: int, member: Member) -> None:
    """Make `member <n>` of service rows."""
    holder = member.entity.service
    links = [
        f"{keys.key_text(keys.column_texts((join.field.name,)))} AS {_link(join.field.name)}"
        for join in bound.joins
        if join.referring == at
    ]
    columns = [f"{row_key(holder)} AS __key", *links, *_read(bound, member)]
    source = quote(rows_relation(member, Side.SERVICE))
    engine.view(
        f"member {at}",
        f"SELECT {', '.join(columns)} FROM {source} WHERE {live(holder)} AND {row_key(holder)} IS NOT NULL",
    )


def _read(bound: BoundRule, member: Member) -> Iterator[str]:
    for field in bound.read_of(member):
        yield f"{present(field, quote(field.name))} AS {quote(member.qualified(field.name))}"


def _link(field: str) -> str:
    return quote(f"__link {field}")


def _combined(bound: BoundRule) -> str:
    """All combinations of rows that belong together: `key <n>` of each, and the qualified fields."""
    columns = [f"m{at}.__key AS {key}" for at, key in enumerate(_keys(bound))]
    columns += [
        f"m{at}.{quote(member.qualified(field.name))}"
        for at, member in enumerate(bound.members)
        for field in bound.read_of(member)
    ]
    tables = [quote("member 0") + " AS m0"]
    for at in range(1, len(bound.members)):
        on = [
            f"m{join.referring}.{_link(join.field.name)} = m{join.referred}.__key"
            for join in bound.joins
            if join.last == at
        ]
        tables.append(f"JOIN {quote(f'member {at}')} AS m{at} ON {' AND '.join(on)}")
    return f"SELECT {', '.join(columns)} FROM {' '.join(tables)}"


def _keys(bound: BoundRule) -> list[str]:
    return [quote(f"key {at}") for at in range(len(bound.members))]


def _counterparts(path: str, of: Side) -> str:
    return f"counterparts of {of} keys of {path}"


def _of_side(bound: BoundRule, side: Side) -> str:
    """One side's violations with the keys that its rows have on the other side."""
    columns, joins = [f"{literal(side)} AS side"], []
    for at, member in enumerate(bound.members):
        columns.append(f"v.{quote(f'key {at}')} AS {quote(f'{side} {at}')}")
        columns.append(f"c{at}.{side.other}_key AS {quote(f'{side.other} {at}')}")
        joins.append(
            f"LEFT JOIN {quote(_counterparts(member.path, side))} AS c{at} ON c{at}.{side}_key = v.{quote(f'key {at}')}"
        )
    ordered = [columns[0], *sorted(columns[1:], key=lambda column: column.rpartition(" AS ")[2])]
    return f"SELECT {', '.join(ordered)} FROM {quote(violations_relation(bound, side))} AS v {' '.join(joins)}"


def _fingerprint(bound: BoundRule) -> str:
    """The rule and all rows by their keys of both sides; every part with its length, a missing one told apart."""
    first = bound.members[0]
    parts = [literal(first.path), literal(f"rule {bound.rule.name}")]
    parts += [quote(f"{side} {at}") for at in range(len(bound.members)) for side in Side]
    tagged = " || ".join(f"COALESCE(text_of(LENGTH({part})) || ':' || {part}, '-')" for part in parts)
    return f"SUBSTRING(sha256_hex({tagged}), 1, 32)"


_COMMA = " || ', ' || "


def _evidence(bound: BoundRule) -> str:
    """JSON: the rule, the sides on which it does not hold, and every row involved there."""
    rows, sides = [], []
    for side in Side:
        named = [
            f"""'{{"entity": ' || json_text({literal(member.path)}) || ', "side": "{side}", "key": '
                || json_text({quote(f"{side} {at}")}) || '}}'"""
            for at, member in enumerate(bound.members)
        ]
        there = quote(f"in {side}")
        rows.append(f"CASE WHEN {there} THEN ', ' || {_COMMA.join(named)} ELSE '' END")
        sides.append(f"""CASE WHEN {there} THEN ', "{side}"' ELSE '' END""")
    listed_sides, listed_rows = (f"SUBSTRING({' || '.join(parts)}, 3)" for parts in (sides, rows))
    return (
        f"""'{{"rule": ' || json_text({literal(bound.rule.name)}) || ', "sides": [' || {listed_sides} """
        f"""|| '], "rows": [' || {listed_rows} || ']}}'"""
    )
