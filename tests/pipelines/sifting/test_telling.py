"""Telling: what is known of texts is told again while they are few, and comes out the same when they are not."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import polars as pl
import pytest

from pipelines import declarations as say
from pipelines import engine
from pipelines.sifting import telling
from pipelines.sifting.telling import FAILED, VALUE, Telling

CODES = {f"c{number}": f"code {number}" for number in range(40)}
DECODED = say.Field("code", say.Decode("code", CODES), say.Exact())


@pytest.fixture
def of_codes() -> Iterator[Telling]:
    with engine.opened() as session:
        yield Telling(session, DECODED)


def expected(texts: list[str | None]) -> list[tuple[str | None, bool]]:
    """Worked out in Python: a code that is not declared fails, a missing one is missing."""
    return [(CODES.get(text or ""), text is not None and text not in CODES) for text in texts]


def told(telling: Telling, texts: list[str | None]) -> list[tuple[str | None, bool]]:
    return telling.tell(pl.Series(texts, dtype=pl.String)).select(VALUE, FAILED).rows()


def test_few_texts_are_translated_once_each(of_codes: Telling) -> None:
    texts = [f"c{number % 43}" if number % 7 else None for number in range(1_000)]

    with patch.object(Telling, "_translated", autospec=True, side_effect=Telling._translated) as translated:  # noqa: SLF001 (is it asked?)
        assert told(of_codes, texts) == expected(texts)
        assert told(of_codes, texts[::-1]) == expected(texts[::-1])

    assert sum(len(call.args[1]) for call in translated.call_args_list) == len({*texts})


def test_more_texts_than_can_be_known_are_told_as_well(of_codes: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_TEXTS_AT_MOST", 20)
    few: list[str | None] = ["c1", "c2", None, "?"] * 10
    more: list[str | None] = [f"c{number}" for number in range(60)] * 2

    for texts in (few, more, few, more):
        assert told(of_codes, texts) == expected(texts)


def test_texts_that_do_not_occur_again_are_not_kept(of_codes: Telling) -> None:
    texts: list[str | None] = [f"c{number}" for number in range(60)]

    for _ in range(2):
        with patch.object(telling, "_Glossary") as glossary:
            assert told(of_codes, texts) == expected(texts)
        glossary.assert_not_called()
