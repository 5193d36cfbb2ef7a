"""Kinds: every cause with the damage that must be found as it, and what an entity must have for it to be done.

The whole list of causes, so that what is not planted is said, with the reason. Which damage that is, is said where it
is done: `mutations`, `lives`, `deaths`, `tellings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines import causes, journal
from pipelines.audit import deaths, lives, mutations, scratch, tellings
from pipelines.audit.mutations import Mutation
from pipelines.audit.trials import Trials
from pipelines.declarations import Numbering, Side

Need = Callable[[Trials], str]  # why it cannot be done; empty when it can
Cause = tuple[str, str]


@dataclass(frozen=True)
class Kind:
    """A damage, what it needs, and the cause it must be found as."""

    cause: Cause
    mutate: Mutation
    needs: tuple[Need, ...] = ()

    def hindrance(self, trials: Trials) -> str:
        """Why it cannot be done to any row of this entity; empty when it can."""
        return next(filter(None, (need(trials) for need in self.needs)), "")


def _links(trials: Trials) -> str:
    return "" if trials.has_table else "links are derived from natural keys, not read from a table"


def _single(trials: Trials) -> str:
    several = "several counterparts are allowed"
    return "" if trials.entity.identity.cardinality.one_service else several


def _before(trials: Trials) -> str:
    return "" if scratch.past(trials.job) else "there is no partition before in the lake"


def _two_before(trials: Trials) -> str:
    return "" if len(scratch.past(trials.job)) >= scratch.PAST else "there are no two partitions before in the lake"


def _log(trials: Trials) -> str:
    return "" if journal.has_log(trials.job) else "no event log is declared for this partition"


def _no_log(trials: Trials) -> str:
    return "" if not journal.has_log(trials.job) else "there is an event log, which would not tell it"


def _per_key(trials: Trials) -> str:
    log = trials.entity.events
    counted = "the log counts the events of all rows together: a missing number would be about all of them"
    return counted if log is not None and log.numbering is not Numbering.PER_KEY else ""


def _lag(trials: Trials) -> str:
    return "" if trials.entity.allowed_lag else "no lag is allowed"


def _legacy_is_right(trials: Trials) -> str:
    one = trials.entity.system_of_record is Side.LEGACY and not trials.entity.slices
    return "" if one else "legacy is not right about all rows"


def _versions(trials: Trials) -> str:
    known = any(field.earlier for field in trials.entity.fields)
    return "" if known else "no earlier translation version is declared"


def _missable(trials: Trials) -> str:
    return "" if trials.missable_key else "by its contract the key is never missing"


_VALUE, _MISSING, _STALE = "invalid_transformation", "missing_event", "stale_replica"
KINDS = (
    Kind((_VALUE, "older_translation"), mutations.older_translation, (_versions,)),
    Kind((_MISSING, "sequence_gap"), tellings.sequence_gap, (_log, _per_key, _before)),
    Kind((_MISSING, "change_without_event"), tellings.change_without_event, (_log, _before)),
    Kind((_MISSING, "event_not_applied"), tellings.event_not_applied, (_log, _before)),
    Kind((_MISSING, "row_never_arrived"), lives.row_never_arrived, (_log, _before, _legacy_is_right)),
    Kind((_MISSING, "deletion_without_event"), lives.deletion_without_event, (_log, _before, _legacy_is_right)),
    Kind(
        ("out_of_order_update", "older_event_applied_last"),
        tellings.older_event_applied_last,
        (_log, _per_key, _before),
    ),
    Kind(("out_of_order_update", "regressed_to_older_value"), mutations.regressed, (_two_before,)),
    Kind((_STALE, "behind_beyond_lag"), tellings.told_and_late, (_log, _before)),
    Kind((_STALE, "behind_within_lag"), tellings.in_flight, (_log, _before, _lag)),
    Kind((_STALE, "behind_beyond_lag"), mutations.behind, (_no_log, _before)),
    Kind((_STALE, "pending_row"), lives.pending_row, (_before, _legacy_is_right)),
    Kind((_STALE, "deletion_not_propagated"), lives.deletion_not_propagated, (_before, _legacy_is_right)),
    Kind(("semantic_contradiction", "rebirth"), lives.rebirth, (_two_before, _legacy_is_right)),
    Kind((_VALUE, "deletion_became_otherwise"), deaths.became_otherwise, (_before, deaths.hindrance)),
    Kind((_VALUE, "untranslatable"), mutations.untranslatable),
    Kind((_VALUE, "systematic_pattern"), mutations.systematic),
    Kind((_VALUE, "time_zone_shift"), mutations.likeness(mutations.shifted, "time_zone_shift")),
    Kind((_VALUE, "unit_or_scale"), mutations.likeness(mutations.scaled, "unit_or_scale")),
    Kind((_VALUE, "swapped_fields"), mutations.swapped_fields),
    Kind((_VALUE, "truncated"), mutations.likeness(mutations.cut, "truncated")),
    Kind((_VALUE, "format_only"), mutations.likeness(mutations.reformatted, "format_only")),
    Kind(("semantic_contradiction", "written_by_replica"), mutations.written_by_replica, (_before,)),
    Kind(("unexplained", "no_evidence"), mutations.no_evidence),
    Kind(("key_linkage", "unmapped"), mutations.unmapped, (_links,)),
    Kind(("key_linkage", "dangling"), mutations.dangling, (_links,)),
    Kind(("key_linkage", "ambiguous"), mutations.ambiguous, (_links, _single)),
    Kind(("key_linkage", "cardinality_violated"), mutations.cardinality_violated, (_links, _single)),
    Kind(("key_linkage", "duplicate_key"), mutations.duplicate_key),
    Kind(("key_linkage", "null_key"), lives.null_key, (_missable,)),
)
NO_ROOM = "no row that is in order has room for it"
# Why the others are never planted.
_NEVER = {
    "out_of_scope": "which values a scope leaves out cannot be told from its condition",
    "counterpart_rejected": "rows are rejected before the snapshot that is copied",
}


def unplanted(why: dict[Cause, str], planted: set[Cause]) -> dict[str, str]:
    """Why each cause that was not planted was not, of all there are: by "type: reason"."""
    known = [(str(row["type"]), str(row["reason"])) for row in causes.precedence().to_pylist()]
    return {
        f"{kind}: {reason}": why.get((kind, reason)) or _NEVER.get(reason, "the audit knows no damage that shows as it")
        for kind, reason in known
        if (kind, reason) not in planted
    }
