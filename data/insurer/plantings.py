"""The kinds of discrepancy: how each acts on rows and how the ledger calls it. `planting` chooses the rows."""

from __future__ import annotations

from dataclasses import replace

from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Planting, Shown, Side


def stamps(chance: Chance, clock: Clock) -> dict[str, str]:
    """What every service row has besides its fields."""
    return {
        "created_by": chance.pick("created by", ("migration", "api", "portal")),
        "version": "CAST(v + 1 AS INTEGER)",
        "updated_at": clock.instant("second"),
    }


def of_links() -> tuple[Planting, ...]:
    """Everything that can be wrong with an identity table."""
    linkage, steady = "key_linkage", "steady"
    return (
        Planting("unmapped", linkage, "unmapped", steady, note="both rows exist, the link is lost"),
        Planting(
            "dangling_service", linkage, "dangling", steady, note="the link names a service row that is not there"
        ),
        Planting("dangling_legacy", linkage, "dangling", steady, note="the link names a legacy row that is not there"),
        Planting("candidates", linkage, "ambiguous", "pairs", note="two candidates, none certain"),
        *duplicates(),
    )


def violated() -> Planting:
    """Only where the cardinality is 1:1."""
    return Planting("candidates", "key_linkage", "cardinality_violated", "pairs", note="two certain links from one row")


def duplicates() -> tuple[Planting, ...]:
    """The same key twice, with different values."""
    return (
        Planting("duplicate_legacy", "key_linkage", "duplicate_key", "steady", note="twice on the legacy side"),
        Planting("duplicate_service", "key_linkage", "duplicate_key", "steady", note="twice on the service side"),
    )


def null_key() -> Planting:
    """A part of the composite key is missing."""
    return Planting("null_key", "key_linkage", "null_key", "steady", note="a part of the composite key is missing")


def of_comings_and_goings() -> tuple[Planting, ...]:
    """Rows that come or go on one side only."""
    missing, stale = "missing_event", "stale_replica"
    return (
        Planting("pending", stale, "pending_row", "born", note="arrives days late"),
        Planting("never_arrived", missing, "row_never_arrived", "born", note="the event of its creation is lost"),
        Planting("not_deleted", stale, "deletion_not_propagated", "died", note="deleted days late"),
        Planting(
            "deleted_silently", missing, "deletion_without_event", "died", note="the event of its deletion is lost"
        ),
        Planting(
            "reborn",
            "semantic_contradiction",
            "rebirth",
            "died",
            note="deleted on both sides, then back on the service",
        ),
    )


def of_replication() -> tuple[Planting, ...]:
    """Changes that the replica misses, gets late or in the wrong order."""
    missing, order = "missing_event", "out_of_order_update"
    return (
        Planting(
            "lost_event", missing, "sequence_gap", "moving", count=3, note="one event is lost, its successor arrives"
        ),
        Planting("silent_change", missing, "change_without_event", "moving", count=3, note="nobody told the replica"),
        Planting(
            "late_event", order, "older_event_applied_last", "moving_twice", note="the older of two events arrives last"
        ),
        Planting("regressed", order, "regressed_to_older_value", "moving", note="had the newer value, fell back"),
        Planting(
            "frozen",
            "stale_replica",
            "behind_beyond_lag",
            "moving",
            count=3,
            note="the replica of this row stood still",
        ),
    )


def untranslatable(note: str, fields: tuple[str, ...], where: str = "TRUE", **legacy: str) -> Planting:
    """A legacy value that no rule can translate."""
    return replace(_values("untranslatable", Side.LEGACY, legacy, where), fields=fields, note=note)


def older_translation(where: str, **service: str) -> Planting:
    """The service still shows what version 1 of the translation gave."""
    return replace(_values("older_translation", Side.SERVICE, service, where), count=3)


def systematic(where: str, **service: str) -> Planting:
    """Every row with one raw value shows the same wrong value."""
    return replace(_values("systematic_pattern", Side.SERVICE, service, where), every=True, pool="rare")


def truncated(where: str, **service: str) -> Planting:
    """Cut off after some characters."""
    return _values("truncated", Side.SERVICE, service, where)


def swapped(one: str, other: str, where: str) -> Planting:
    """Two fields in each other's place."""
    differ = f"{where} AND {one} IS DISTINCT FROM {other}"
    return _values("swapped_fields", Side.SERVICE, {one: other, other: one}, differ)


def format_only(where: str = "TRUE", **service: str) -> Planting:
    """The same value, written differently."""
    return _values("format_only", Side.SERVICE, service, where)


def unit_or_scale(where: str = "TRUE", **service: str) -> Planting:
    """A hundred times too much."""
    return _values("unit_or_scale", Side.SERVICE, service, where)


def time_zone_shift(where: str = "TRUE", **service: str) -> Planting:
    """Wall time taken for UTC."""
    return _values("time_zone_shift", Side.SERVICE, service, where)


def written_by_replica(where: str = "TRUE", **service: str) -> Planting:
    """A change on the side that does not own the field."""
    planting = _values("written_by_replica", Side.SERVICE, service, where)
    return replace(planting, act="written", type="semantic_contradiction")


def written_by_legacy(fields: tuple[str, ...], **legacy: str) -> Planting:
    """The same of digital rows, whose replica is legacy."""
    planting = _values("written_by_replica", Side.LEGACY, legacy, "TRUE")
    return replace(planting, act="written", type="semantic_contradiction", pool="digital", fields=fields)


def rule_violated(rule: str, where: str, *shown: Shown) -> Planting:
    """Both sides agree, the business is wrong."""
    type_ = "semantic_contradiction"
    return Planting("violation", type_, "rule_violated", "quiet", (), shown, where, always=True, note=rule)


def rejected(side: Side, reason: str, **columns: str) -> Planting:
    """A row that breaks its side's contract."""
    return replace(_values(reason, side, columns, "TRUE"), act=f"rejected_{side}", type="rejected", fields=())


def _values(reason: str, side: Side, columns: dict[str, str], where: str) -> Planting:
    shown = tuple(Shown(side, column, sql) for column, sql in columns.items())
    return Planting("value", "invalid_transformation", reason, "quiet", tuple(columns), shown, where)
