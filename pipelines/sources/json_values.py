"""JSON documents as rows: cells picked out by key or pointer, and their values as texts, exactly as they were written.

Shared by everything that holds JSON (lines of a file, messages of a log). Numbers never pass through binary floating
point: they stay the digits that were written until `text` reads them as the declared type. A document that is broken,
or says a key twice, is unreadable as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.sources import text
from pipelines.sources.source import REJECTED, Batch

_FAR = 100  # places beyond which an exponent is not written out: no declared type holds such a number
_DEEP = 1_000  # characters of a pointer nobody means


class Number(str):
    """The text of a JSON number, as it was written."""

    __slots__ = ()


class Document(NamedTuple):
    """One document by its row number: what it says, or why it cannot be read, with what was written, and where."""

    number: int
    value: Any
    problem: str = ""
    raw: bytes = b""
    where: str = ""


class _Refused(ValueError):  # noqa: N818 (handled here: it becomes the problem of the document)
    """What JSON would let pass, but nobody can know the meaning of."""


def parsed(raw: bytes) -> tuple[Any, str, bytes]:
    """What a document says, or why it cannot be read, and its bytes where they are needed to show it."""
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        return None, "expected valid utf-8", raw
    except _Refused as refused:
        return None, str(refused), raw
    except (ValueError, RecursionError):
        return None, "expected a JSON object", raw
    return (value, "", b"") if isinstance(value, dict) else (None, "expected a JSON object", raw)


def json_text(value: Any) -> str:  # noqa: ANN401 (whatever JSON can hold)
    """A value as JSON text, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{encode_basestring(key)}: {json_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value)


def pointer_problem(pointer: str) -> tuple[str, str]:
    """Why a text is no JSON pointer (RFC 6901) to a part of a document, and what may have been meant; else empty."""
    if not pointer.startswith("/") or len(pointer) > _DEEP:
        return "is no JSON pointer", f'for instance "/{pointer.strip("/.$").replace(".", "/")}"'
    return "", ""


class Documents:
    """From documents to batches of rows of a schema, remembering which keys there were.

    A row with one of the `untold` texts in a column is unreadable: whoever wrote it says that he does not know.
    """

    def __init__(
        self,
        schema: pa.Schema,
        paths: Mapping[str, str],
        null_texts: tuple[str, ...],
        untold: frozenset[str] = frozenset(),
    ) -> None:
        self._schema, self._null_texts, self._untold = schema, null_texts, untold
        self._cells = [(field.name, _steps(paths.get(field.name), field.name), _spelling(field)) for field in schema]
        self._seen: set[str] = set()
        self.keys: dict[str, None] = {}

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Keys of documents that no column was taken from."""
        known = {steps[0] for _, steps, _ in self._cells}
        return tuple(key for key in self.keys if key not in known)

    @property
    def never_there(self) -> list[str]:
        """Columns that must not be missing, and that no document had."""
        return [field.name for field in self._schema if not field.nullable and field.name not in self._seen]

    def batch(self, documents: list[Document]) -> Batch:
        """The rows of some documents, and those that cannot be read."""
        good = [document for document in documents if not document.problem]
        for document in good:
            if not document.value.keys() <= self.keys.keys():
                self.keys.update(dict.fromkeys(document.value))
        columns = [self._column(name, steps, spelt, good) for name, steps, spelt in self._cells]
        broken = [_unreadable(document) for document in documents if document.problem]
        numbers = [document.number for document in good]
        unknown = self._unknown(columns)
        if unknown:
            broken += [self._refused(columns, numbers, at, name) for at, name in unknown.items()]
            kept = [at for at in range(len(numbers)) if at not in unknown]
            columns, numbers = [[column[at] for at in kept] for column in columns], [numbers[at] for at in kept]
        return rows_of_texts(columns, numbers, broken, self._schema, self._null_texts)

    def _unknown(self, columns: list[list[str | None]]) -> dict[int, str]:
        """By row the column that says that its value is not told."""
        found: dict[int, str] = {}
        for name, column in zip(self._schema.names, columns, strict=True):
            if not self._untold.isdisjoint(column):
                found.update({at: name for at, value in enumerate(column) if value in self._untold})
        return found

    def _refused(self, columns: list[list[str | None]], numbers: list[int], at: int, name: str) -> dict[str, object]:
        held = {name: _shown(column[at]) for name, column in zip(self._schema.names, columns, strict=True)}
        reason = f"expected a value, found that it is not told ({held[name]})"
        raw = json.dumps(held, ensure_ascii=False)
        return {"row_number": numbers[at], "check": "record", "field": name, "reason": reason, "raw": raw}

    def _column(
        self, name: str, steps: tuple[str, ...], spelt: Callable[[Any], str | None], documents: list[Document]
    ) -> list[str | None]:
        if len(steps) == 1:
            found = [document.value.get(steps[0], _ABSENT) for document in documents]
        else:
            found = [_at(document.value, steps) for document in documents]
        if name not in self._seen and any(value is not _ABSENT for value in found):
            self._seen.add(name)
        return [value if type(value) is str or value is None else spelt(value) for value in found]


def rows_of_texts(
    columns: list[list[str | None]],
    numbers: list[int],
    broken: list[dict[str, object]],
    schema: pa.Schema,
    null_texts: tuple[str, ...],
) -> Batch:
    """Rows from columns of Python texts, which may hold what no text can: halves of a character."""
    arrays, halves = [], {}
    for name, column in zip(schema.names, columns, strict=True):
        try:
            arrays.append(pa.array(column, pa.string()))
        except UnicodeEncodeError:
            halves.update({at: name for at, value in enumerate(column) if value and not _is_whole(value)})
            arrays.append(pa.array([_shown(value) for value in column], pa.string()))
    texts, row_numbers = pa.RecordBatch.from_arrays(arrays, schema.names), pa.array(numbers, pa.int64())
    if halves:
        whole = pa.array([at not in halves for at in range(len(numbers))], pa.bool_())
        shown = text.json_rows(texts).to_pylist()
        broken = broken + [
            {"row_number": numbers[at], "check": "encoding", "field": name, "reason": "expected whole characters"}
            | {"raw": shown[at]}
            for at, name in halves.items()
        ]
        texts, row_numbers = texts.filter(whole), row_numbers.filter(whole)
    batch = text.cast(texts, row_numbers, schema, null_texts)
    if not broken:
        return batch
    unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(broken, schema=REJECTED))
    return Batch(batch.rows, batch.row_numbers, unreadable)


_ABSENT = object()


def _steps(pointer: str | None, name: str) -> tuple[str, ...]:
    if pointer is None:
        return (name,)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def _at(value: Any, steps: tuple[str, ...]) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, _ABSENT)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def _spelling(field: pa.Field) -> Callable[[Any], str | None]:
    """How values that are no texts are spelt for this column."""
    in_full = pa.types.is_integer(field.type) or pa.types.is_decimal(field.type)

    def spelt(value: Any) -> str | None:  # noqa: ANN401 (whatever JSON can hold)
        if type(value) is Number:
            return _in_full(value) if in_full and ("e" in value or "E" in value) else value
        return None if value is _ABSENT or value is None else json_text(value)

    return spelt


def _in_full(number: Number) -> str:
    """A number without its exponent, digit by digit the same."""
    try:
        value = Decimal(number)
    except InvalidOperation:  # an exponent that Python has no number for
        return str(number)
    near = value.is_finite() and abs(value.adjusted()) < _FAR and len(number) < _FAR
    return format(value, "f") if near else str(number)


def _unreadable(document: Document) -> dict[str, object]:
    check = "encoding" if document.problem == "expected valid utf-8" else "record"
    raw = {"record": document.raw.decode(errors="backslashreplace")}
    shown = json.dumps(({"at": document.where} if document.where else {}) | raw, ensure_ascii=False)
    return {"row_number": document.number, "check": check, "reason": document.problem, "raw": shown}


def _is_whole(value: str) -> bool:
    return value.encode(errors="ignore").decode() == value


def _shown(value: str | None) -> str | None:
    return None if value is None else value.encode(errors="backslashreplace").decode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused("a key is there twice")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=Number)
