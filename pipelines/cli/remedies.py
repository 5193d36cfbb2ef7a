"""Remedies: what to do about a finding, by its reason, in the words of docs/discrepancies.md (a test compares them)."""

from __future__ import annotations

_REMEDIES = {
    "unmapped": "find out whether the counterpart was never made, or only the link is missing",
    "dangling": "the counterpart was lost, or was deleted and the link kept: restore the row or end the link",
    "ambiguous": "decide for one link and end the others; correct the merges",
    "cardinality_violated": "a link is wrong, or the declared cardinality is",
    "out_of_scope": "correct the flag that the scope reads, or the scope",
    "duplicate_key": "remove the duplicates at the source, or declare a longer key",
    "counterpart_rejected": "repair the row that was rejected",
    "null_key": "repair the row, or declare the part in nullable_key",
    "sequence_gap": "send the lost event again",
    "change_without_event": "find out which program changes the row past the log",
    "row_never_arrived": "tell it, and find out why it was not told",
    "deletion_without_event": "tell it, and find out why it was not told",
    "event_not_applied": "apply the event again; find out who dropped it",
    "older_event_applied_last": "apply events by number, not by arrival",
    "regressed_to_older_value": "look for a restored backup or a repeated load",
    "behind_beyond_lag": "find out why the change was not taken over",
    "behind_within_lag": "nothing yet; look again in the next partition",
    "pending_row": "within the lag nothing; beyond it find out where it is stuck",
    "deletion_not_propagated": "within the lag nothing; beyond it delete the replica's row",
    "untranslatable": "correct the legacy value, or teach the rule: add the code, the spelling, the sentinel",
    "deletion_became_otherwise": "remove or restore the row there; correct how deletions are taken over",
    "older_translation": "translate these rows again",
    "swapped_fields": "correct the mapping",
    "time_zone_shift": "correct where wall time is taken for UTC, or for another zone",
    "unit_or_scale": "correct the unit, the scale or the currency",
    "format_only": "write it as declared, or declare a comparator that looks through it",
    "truncated": "make the column longer",
    "systematic_pattern": "correct the rule or the code table of the service",
    "written_by_replica": "undo the change, or make it where it belongs",
    "rebirth": "delete it again, and find out what brought it back",
    "rule_violated": "correct the business where it went wrong, on the side that is right about it; or the rule",
    "no_evidence": "look at both rows and their past; compare expected and actual over many rows of the field",
}


def of_reason(reason: object) -> str:
    """What to do about findings of this reason."""
    return _REMEDIES[str(reason)]
