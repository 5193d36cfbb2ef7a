"""Rejections: rows without a counterpart because the counterpart broke its contract today and was kept apart.

The rejected rows' keys are read from the raw values kept with them; nothing else of them is used.
"""

from __future__ import annotations

from pipelines.causes import PROOFS, cause, told
from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.identity import business_keys
from pipelines.readings import member, read_text
from pipelines.rows import row_key


def read(engine: Engine, side: Side) -> None:
    """Make `<side> rejected rows`: its columns, as far as they can be read, and `__check`, which it failed.

    Needs the rows of the side, and `<side> refused` (`sources.REJECTED`).
    """
    rows, refused = f"{side} rejected rows", f"{side} refused"
    if engine.is_empty(refused):
        engine.view(rows, f"SELECT s.*, CAST(NULL AS VARCHAR) AS __check FROM {quote(side)} AS s WHERE FALSE")
        return
    engine.materialise(rows, f"SELECT {typed_columns(engine, side)} FROM {quote(refused)}")


def prove(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`) the findings whose counterpart is among the rejected rows of its side (`read`).

    Needs `linkage findings` and both sides' rows.
    """
    if engine.is_empty("linkage findings"):
        engine.register(into, PROOFS.empty_table())
        return
    proofs = [_of_links(entity, side) for side in Side]
    if isinstance(entity.identity, NaturalKey):
        for side in Side:
            refused = business_keys(entity, side, relation=f"{side} rejected rows")
            engine.materialise(f"{side} rejected business keys", refused)
        proofs += [_of_natural_keys(side) for side in Side]
    engine.materialise(into, " UNION ALL ".join(proofs))


def typed_columns(engine: Engine, side: Side) -> str:
    """The columns of rejected rows as the contract has them; what cannot be read as such is missing.

    Needs the relation of the side, whose types are taken. What was said of the row stands in `__check`, `__field`,
    `__reason`, and as it was read in `__raw`.
    """
    columns = {name: kind for name, kind in engine.types(side).items() if not name.startswith("__")}
    values = [f"{read_text(member('raw', name), kind)} AS {quote(name)}" for name, kind in columns.items()]
    said = [f'"{name}" AS __{name}' for name in ("check", "field", "reason", "raw")]
    return ", ".join([*values, *said])


def _proof(side: Side, joined: str) -> str:
    """Findings `f` whose counterpart on `side` is a rejected row `r`."""
    evidence = told(rejected_side=f"'{side}'", check='r."check"')
    return f"""
        SELECT f.legacy_key, f.service_key, CAST(NULL AS VARCHAR) AS field,
            {cause("key_linkage", "counterpart_rejected")}, CAST(NULL AS BIGINT) AS ended_us, {evidence} AS evidence
        FROM "linkage findings" AS f {joined}
    """


def _of_links(entity: Entity, side: Side) -> str:
    """A link that leads to a rejected row."""
    key = row_key(entity.holder(side))
    rejected = f"""
        SELECT {key} AS row_key, MIN(__check) AS "check" FROM {quote(f"{side} rejected rows")} GROUP BY {key}
    """
    joined = f"JOIN ({rejected}) AS r ON r.row_key = f.{side}_key"
    return f"{_proof(side, joined)} WHERE f.side = '{side.other}' AND f.reason = 'dangling'"


def _of_natural_keys(side: Side) -> str:
    """A row whose natural key is that of a rejected row of `side`."""
    joined = f"""
        JOIN {quote(f"{side.other} business keys")} AS o ON o.row_key = f.{side.other}_key
        JOIN (
            SELECT k.business_key, 'contract' AS "check" FROM {quote(f"{side} rejected business keys")} AS k
            GROUP BY k.business_key
        ) AS r ON r.business_key = o.business_key
    """
    return f"{_proof(side, joined)} WHERE f.side = '{side.other}' AND f.reason = 'unmapped'"
