"""The sentences by which evidence is told: for each reason some, the first of which counts whose evidence is there.

Behind the reason stands in brackets the member of the evidence that a sentence needs; without one it always fits. What
stands in braces is spelled by `evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEAD = re.compile(r"^(\w+)(?: \((\w+)\))?:$", re.MULTILINE)


def read() -> Mapping[str, list[tuple[str, str]]]:
    """By reason: the member of the evidence that must be there (empty: none), and the sentence."""
    found: dict[str, list[tuple[str, str]]] = {}
    _, *parts = _HEAD.split(_TEXT)
    for reason, needed, sentence in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        found.setdefault(reason, []).append((needed or "", " ".join(sentence.split())))
    return found


_TEXT = """
unmapped (problem):
    The key of this {side} row is in {problem}: no link can be trusted.
unmapped:
    No link of the identity map leads from this {side} row to the other side.
dangling:
    The identity map links this {side} row to a row that is not there.
ambiguous (problem):
    The key is in {problem}: which row it denotes cannot be told.
ambiguous:
    Several candidates, none of them certain: which rows belong together cannot be told.
cardinality_violated:
    There are more certain links than the declared cardinality allows.
out_of_scope:
    The other row is there, but the declared scope of its side leaves it out.
counterpart_rejected:
    The row that belongs to this {side} row came from {rejected_side}, but broke its contract ({check}), and was kept
    apart.
duplicate_key:
    {copies} of {side} have this same key; for {rows} there is no row of the other side that says the same.
null_key:
    A part of the key is missing, so the {side} row cannot be linked.
sequence_gap (found_there):
    The field repeats {of}. Of that row, {key}, the field itself is found to have these two values, because an event
    never came.
sequence_gap (of):
    The field repeats {of}. Of that row, {key}, {lost} never came (event {before_event} did), so {replica} could not
    know.
sequence_gap (before_event):
    {lost} of this row never came (event {before_event} did). {moved}
sequence_gap:
    {missing_in_partition} of the log of that day never came; it counts the events of all rows together. {moved}
change_without_event (found_there):
    The field repeats {of}. Of that row, {key}, the field itself is found to have these two values: {record} changed
    without an event, so {replica} could not know.
change_without_event (of):
    The field repeats {of}. The log of that row, {key}, still tells what {replica} shows, in event {shows_event}:
    {record} changed without an event.
change_without_event (shows_event):
    The last that the log told is event {shows_event}, and {replica} shows it. {record} has changed since: no event
    tells that, and no number is missing. {moved}
change_without_event:
    {moved} No event of this row tells that change, and no number is missing.
row_never_arrived (absent):
    {record} had no such row on {absent}, and had it on {there}. No event creates it.
row_never_arrived:
    {record} has a new row, and no event creates it.
deletion_without_event (gone):
    {record} still had its row {other_key} on {there}; on {gone} it was gone. No event deletes it.
deletion_without_event:
    {record} has deleted its row {other_key}, and no event tells that.
event_not_applied (found_there):
    The field repeats {of}. Of that row, {key}, the field itself is found to have these two values: an event of it had
    no effect on {replica}.
event_not_applied:
    Event {not_applied} tells what is right, and had no effect on {replica}; event {later_applied}, which is newer, had.
older_event_applied_last:
    {replica} shows what event {older_event} told, although event {newer_event} is newer: the older one was recorded
    later, and overwrote it.
regressed_to_older_value (with_field):
    The row of {replica} fell back by {fell_back}: its {with_field} had moved on by {left}, and is back at what
    {record} said on {witness}. This field shows what it had then.
regressed_to_older_value:
    {replica} had moved on by {left}, and by {fell_back} was back at what {record} last said on {witness}; {record}
    had moved on by {moved_on}.
behind_beyond_lag (shows_event):
    Event {event} tells what is right; {replica} still shows what event {shows_event} told.
behind_beyond_lag (event_without_effect):
    Event {event_without_effect} tells what is right, and had no effect: {replica} last wrote its row before.
behind_beyond_lag (event):
    Event {event} tells what is right; {replica} does not show it.
behind_beyond_lag (witness):
    {moved}
behind_beyond_lag:
    The value is declared to come later, and has not come; since when it is due is not known.
behind_within_lag (shows_event):
    Event {event} tells what is right; {replica} still shows what event {shows_event} told.
behind_within_lag (event):
    Event {event} tells what is right; {replica} does not show it.
behind_within_lag (witness):
    {moved}
behind_within_lag:
    The value is declared to come later, and has not come.
pending_row (created):
    An event created the row on {created}; {replica} has not got it yet.
pending_row (absent):
    {record} had no such row on {absent}, and had it on {there}; {replica} has not got it yet.
pending_row:
    {record} has a new row that {replica} has not got yet.
deletion_not_propagated (became):
    {deleted_on} has deleted this row, which must make it {must_be} on the other side; so far it is {became} in {on}.
deletion_not_propagated (deleted):
    An event deleted the row {other_key} of {record} on {deleted}; {replica} still has its own.
deletion_not_propagated (gone):
    {record} still had its row {other_key} on {there}; on {gone} it was gone. {replica} still has its own.
deletion_not_propagated:
    {record} deleted this row, {replica} still has it.
deletion_became_otherwise (there):
    {deleted_on} last had this row on {there}, and has deleted it, which must make it {must_be} on the other side; in
    {on} it is {became}.
deletion_became_otherwise:
    {deleted_on} says that this row is deleted, which must make it {must_be} on the other side; in {on} it is {became}.
untranslatable:
    The rule "{rule}" cannot translate what legacy says: {failure}.
older_translation:
    Version {version} of the translation made what {replica} shows: it was never translated again.
swapped_fields:
    This field and {swapped_with} stand in each other's place, in {rows} of this partition.
time_zone_shift:
    {replica} is {offset_seconds} than it should be, in {rows}: a time zone too many or too few.
unit_or_scale:
    {replica} shows the right number times {factor}, in {rows}: another unit, scale or sign.
format_only:
    The same letters and digits, written differently; so in {rows} of this field.
truncated:
    {replica} shows the first {characters} characters of the right text, in {rows}.
systematic_pattern (of_rows):
    For {rows} with this raw value, of {of_rows} in all, {replica} shows this same wrong value.
systematic_pattern (offset):
    {replica} is off by {offset} in {rows}, always the same.
written_by_replica (agreed):
    On {agreed} {replica} said what is right today; on {changed} it said something that {record} never said: {replica}
    changed what {record} owns.
written_by_replica (written):
    {replica} wrote its row on {written}, when {record} had last changed on {last_change}: nothing that {record} told
    can have caused it.
written_by_replica:
    {replica} deleted this row, although {record} is right about it and still has it.
rebirth (deleted):
    An event deleted the row {other_key} of {record} on {deleted}; {replica} had followed by {absent}, and has had its
    row again since {back}.
rebirth (gone):
    {record} has not had its row {other_key} since {gone}; {replica} had followed by {absent}, and has had its row
    again since {back}.
rebirth:
    The row was deleted, {replica} had followed by {absent}, and has had it again since {back}.
rule_violated:
    The semantic rule "{rule}" does not hold in {sides}, for these rows together: {rows}.
no_evidence:
    Nothing explains it: no earlier state of {record} that is known reads like {replica}, no event tells it, no
    version of the translation makes it, and it is like no other.
"""
