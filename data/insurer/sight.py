"""What each side sees of a row at the end of a day: whether it is there, and which version of each group of fields.

Relations of rows and days (`day`). The record side (legacy, or the service for digital rows) sees everything at
once; the replica sees it after the row's delay, and as far as the plant on the row lets it.
"""

from __future__ import annotations

from data.insurer.clock import DAY
from data.insurer.lives import every_day
from data.insurer.model import Model, Side
from data.insurer.sql import adding, when

LINK_ONLY_LEGACY = "('null_key', 'foreign_tenant', 'second_legacy')"
WRITTEN = "('written', 'regressed', 'reborn')"
NOT_DELETED = "('not_deleted', 'deleted_silently')"


def presence(model: Model) -> dict[str, str]:
    """Per side: does the row live (`_live`), is it in the file (`_there`); and does the plant show today (`on_day`)."""
    cut = f"(day + 1) * {DAY}"
    return {
        "on_day": "COALESCE(day BETWEEN d1 AND d2, FALSE)",
        "digital": model.digital,
        "legacy_cut": f"CASE WHEN digital THEN {cut} - delay ELSE {cut} END",
        "service_cut": f"CASE WHEN digital THEN {cut} ELSE {cut} - delay END",
        "legacy_live": _lives("legacy_cut"),
        "legacy_there": _legacy_there(model),
        "service_live": _service_live(model),
        "service_there": f"service_live OR {_flagged(model)}",
    }


def versions(model: Model, side: Side) -> dict[str, str]:
    """Which version a side sees: of the row (`v`), and of each group of fields (`ga`, `gb`, `gc`)."""
    replica = "digital" if side is Side.LEGACY else "NOT digital"
    seen = " + ".join(f"(s{k} < {side}_cut)::BIGINT" for k in (1, 2, 3))
    skip = "CASE WHEN act IN ('lost_event', 'silent_change') THEN k WHEN act = 'late_event' THEN k + 1 ELSE 0 END"
    return {
        "cap": f"CASE WHEN {replica} AND on_day AND act IN ('frozen', 'regressed') THEN k - 1 ELSE 3 END",
        "skip": f"CASE WHEN {replica} THEN {skip} ELSE 0 END",
        "v": f"LEAST({seen}, cap)",
        **{name: group_version(group) for group, name in enumerate(("ga", "gb", "gc"))},
        **model.more_sight(side),
    }


def group_version(group: int, *, prefix: str = "", version: str = "v", skip: str = "skip") -> str:
    """The last change of a group that is seen."""
    whens = (f"WHEN {version} >= {k} AND {prefix}c{k} = {group} AND {skip} <> {k} THEN {k}" for k in (3, 2, 1))
    return f"CASE {' '.join(whens)} ELSE 0 END"


def changed(side: Side) -> dict[str, str]:
    """The second of the last change that a side knows (`second`)."""
    known = "CASE v WHEN 3 THEN s3 WHEN 2 THEN s2 WHEN 1 THEN s1 ELSE COALESCE(born, -86400 - id * 7919 % 31536000) END"
    ended = f"CASE WHEN died < {side}_cut THEN died ELSE {known} END"
    replica = "digital" if side is Side.LEGACY else "NOT digital"
    return {
        "arrived": f"({ended}) + CASE WHEN {replica} THEN delay ELSE 0 END",
        "second": when(f"{replica} AND on_day AND act IN {WRITTEN}", f"d1 * {DAY} + 40000", "arrived"),
    }


def seen(model: Model, side: Side, rows: str) -> str:
    """The rows that a side's files hold, once for each day, with facts as it sees them that day."""
    there = f"({adding(presence(model), every_day(model, rows))}) WHERE {side}_there AND (copy <> 1 OR on_day)"
    view = adding(versions(model, side), f"(SELECT * FROM {there})")
    return adding(model.facts, f"({adding(changed(side), f'({view})')})")


def _lives(cut: str) -> str:
    return f"((born IS NULL OR born < {cut}) AND (died IS NULL OR died >= {cut}))"


def _legacy_there(model: Model) -> str:
    kept = "(born IS NULL OR born < legacy_cut)" if model.soft is Side.LEGACY else "legacy_live"
    return (
        f"CASE WHEN act IS NULL THEN {kept} WHEN act = 'second_service' THEN FALSE "
        f"WHEN act = 'dangling_legacy' THEN NOT on_day WHEN act IN {LINK_ONLY_LEGACY} THEN on_day ELSE {kept} END"
    )


def _service_live(model: Model) -> str:
    natural = _lives("service_cut")
    if model.merges:
        natural = f"({natural} AND (id < {model.merges.first} OR day < {model.merges.day}))"
    return (
        f"CASE WHEN act IS NULL THEN {natural} WHEN act IN {LINK_ONLY_LEGACY} OR act = 'never_arrived' THEN FALSE "
        "WHEN act = 'second_service' THEN on_day "
        f"WHEN act IN ('dangling_service', 'pending') THEN {natural} AND NOT on_day "
        f"WHEN act IN {NOT_DELETED} OR act = 'reborn' THEN {natural} OR on_day ELSE {natural} END"
    )


def _flagged(model: Model) -> str:
    return "COALESCE(died < service_cut, FALSE)" if model.soft is Side.SERVICE else "FALSE"
