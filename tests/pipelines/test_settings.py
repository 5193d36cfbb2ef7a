"""Settings in the environment: read as what they must be, refused by name when they are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.errors import DeclarationError
from pipelines.resources import Resources
from pipelines.sifting import Way


def test_what_is_not_set_or_empty_is_as_it_is_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COEXIST_NUMBER", raising=False)
    monkeypatch.setenv("COEXIST_SIZE", " ")
    assert settings.whole_number("COEXIST_NUMBER", 7) == 7
    assert settings.size("COEXIST_SIZE", "4GB") == 4_000_000_000
    assert settings.choice("COEXIST_SIZE", Way) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [("8GB", 8 * 10**9), ("512 MiB", 512 * 2**20), ("1.5tb", 1_500 * 10**9), ("1000000B", 10**6), ("3 KB", 3_000)],
)
def test_sizes(said: str, meant: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_MEMORY_LIMIT", said)
    assert Resources().memory == meant


def test_an_engine_leaves_room_for_what_is_beside_it() -> None:
    at_four, at_one, at_next_to_nothing = (Resources(memory).engine_memory for memory in (4 * 10**9, 10**9, 2 * 10**8))
    assert 2.9e9 < at_four < 3.1e9
    assert 2.5e8 < at_one < 3.5e8
    assert at_next_to_nothing == 5 * 10**7


def test_choices_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE", "join")
    monkeypatch.setenv("COEXIST_THREADS", " 3 ")
    assert settings.choice("COEXIST_SIEVE", Way) is Way.JOIN
    assert Resources().threads == 3


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("COEXIST_THREADS", "two", 'environment: COEXIST_THREADS: "two": a whole number is wanted'),
        ("COEXIST_THREADS", "-1", 'environment: COEXIST_THREADS: "-1": a whole number is wanted'),
        ("COEXIST_MEMORY_LIMIT", "lots", 'COEXIST_MEMORY_LIMIT: "lots": a number and a unit are wanted, such as 8GB'),
        ("COEXIST_MEMORY_LIMIT", "80%", 'COEXIST_MEMORY_LIMIT: "80%": a number and a unit are wanted'),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, said: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, said)
    with pytest.raises(DeclarationError) as refused:
        Resources()
    assert told in str(refused.value)


def test_the_nearest_choice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE", "digest")
    with pytest.raises(DeclarationError, match='COEXIST_SIEVE: "digest": one of digests, join is wanted'):
        settings.choice("COEXIST_SIEVE", Way)


def test_a_setting_that_nothing_reads_is_refused_if_it_is_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COEXIST_LAK", "COEXIST_LAKE", "COEXIST_HR_DB", "COEXIST_SIZE"):
        monkeypatch.setenv(name, "somewhere")
    assert list(map(str, settings.misspelt())) == [
        'environment: COEXIST_LAK: no such setting (did you mean "COEXIST_LAKE"?)'
    ]


def test_every_setting_is_known() -> None:
    """Those that are read anywhere in the product; the examples have settings of their own."""
    product = Path(settings.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in product.rglob("*.py")]
    read = {name for text in texts for name in re.findall(r'"COEXIST_(\w+)"', text)}
    assert read - {"INSURER_WORLD"} == set(settings.KNOWN)
