"""key_linkage: which rows denote the same thing cannot be told, or there is nothing on the other side."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.declarations import (
    Cardinality,
    Combine,
    Csv,
    Decode,
    Exact,
    Field,
    IdentityTable,
    Merges,
    Monthly,
    NaturalKey,
    Number,
    Same,
    ServiceLevel,
    Text,
)
from tests.spec.given import FIRST, Given, found, reconciled, rows

LINKS = IdentityTable(Csv("links.csv"), legacy=("old",), service=("new",))
SURE = IdentityTable(Csv("links.csv"), legacy=("old",), service=("new",), confidence="confidence")
VALID = IdentityTable(Csv("links.csv"), legacy=("old",), service=("new",), valid_from="since", valid_to="until")


def test_unmapped(tmp_path: Path) -> None:
    given = Given(
        legacy="""
            id | name
            1  | Ada
            2  | Bob
        """,
        service="""
            id | name
            1  | Ada
            3  | Cleo
        """,
    )
    assert found(given, tmp_path) == [
        ("2", None, None, "key_linkage", "unmapped"),
        (None, "3", None, "key_linkage", "unmapped"),
    ]


def test_dangling(tmp_path: Path) -> None:
    given = Given(
        legacy="""
            id | name
            1  | Ada
        """,
        service="""
            id | name
            B  | Bob
        """,
        identity=LINKS,
        tables={
            "links": """
            old | new
            1   | A
            2   | B
            """
        },
    )
    assert found(given, tmp_path) == [
        ("1", "A", None, "key_linkage", "dangling"),
        ("2", "B", None, "key_linkage", "dangling"),
    ]


@pytest.mark.parametrize(("confidence", "reason"), [("0.6", "ambiguous"), ("1", "cardinality_violated")])
def test_several_counterparts(tmp_path: Path, confidence: str, reason: str) -> None:
    """Uncertain links leave a choice; certain ones contradict what is declared."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
        """,
        service="""
            id | name
            A  | Ada
            B  | Ada
        """,
        identity=SURE,
        tables={
            "links": f"""
            old | new | confidence
            1   | A   | 1
            1   | B   | {confidence}
            """
        },
    )
    assert found(given, tmp_path) == [("1", new, None, "key_linkage", reason) for new in "AB"]


def test_a_link_holds_in_its_time_only(tmp_path: Path) -> None:
    """`until` is the first day on which the link no longer holds."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
            2  | Bob
        """,
        service="""
            id | name
            A  | Ada
            B  | Bob
        """,
        identity=VALID,
        tables={
            "links": """
            old | new | since      | until
            1   | A   | 2026-01-01 | 2026-01-02
            2   | B   | 2025-01-01 | 2026-01-01
            """
        },
    )
    assert found(given, tmp_path) == [
        ("2", None, None, "key_linkage", "unmapped"),
        (None, "B", None, "key_linkage", "unmapped"),
    ]


def test_the_links_of_a_month_are_those_of_its_end(tmp_path: Path) -> None:
    """As its rows are: what came within the month is there, what went is not."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
            2  | Bob
            3  | Cleo
        """,
        service="""
            id | name
            A  | Ada
            B  | Bob
            C  | Cleo
        """,
        identity=VALID,
        tables={
            "links": """
            old | new | since      | until
            1   | A   | 2026-01-31 | 2026-02-01
            2   | B   | 2025-01-01 | 2026-01-31
            3   | C   | 2026-02-01 | 2026-03-01
            """
        },
        entity={"partitioning": Monthly(FIRST)},
    )
    assert found(given, tmp_path) == [
        ("2", None, None, "key_linkage", "unmapped"),
        ("3", None, None, "key_linkage", "unmapped"),
        (None, "B", None, "key_linkage", "unmapped"),
        (None, "C", None, "key_linkage", "unmapped"),
    ]


def test_out_of_scope(tmp_path: Path) -> None:
    """A row that does not take part is no finding; a row linked to it is."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
        """,
        service="""
            id | name | tenant
            1  | Ada  | test
            2  | Bob  | test
        """,
        service_holder={"scope": "tenant = 'live'"},
    )
    assert found(given, tmp_path) == [("1", None, None, "key_linkage", "unmapped")]


def test_a_link_out_of_scope(tmp_path: Path) -> None:
    given = Given(
        legacy="""
            id | name
            1  | Ada
        """,
        service="""
            id | name | tenant
            A  | Ada  | test
        """,
        identity=LINKS,
        tables={
            "links": """
            old | new
            1   | A
            """
        },
        service_holder={"scope": "tenant = 'live'"},
    )
    assert found(given, tmp_path) == [("1", "A", None, "key_linkage", "out_of_scope")]


@pytest.mark.parametrize("side", ["legacy", "service"])
def test_duplicate_key(tmp_path: Path, side: str) -> None:
    """The row that says the same as the one of the other side is its counterpart, wherever it stands; one is left."""
    twice = """
            id | name
            1  | Ida
            1  | Ada
            2  | Bob
    """
    once = """
            id | name
            1  | Ada
            2  | Bob
    """
    given = Given(legacy=twice if side == "legacy" else once, service=twice if side == "service" else once)
    job = reconciled(given, tmp_path)

    (finding,) = rows(job, "discrepancies")
    assert (finding["reason"], finding["legacy_key"], finding["service_key"]) == ("duplicate_key", "1", "1")
    assert f'"side": "{side}", "rows": 1' in str(finding["evidence"])
    (linkage,) = rows(job, "linkage")
    assert (linkage[f"{side}_duplicate"], linkage["matched"]) == (1, 2)


def test_duplicates_of_which_none_says_the_same(tmp_path: Path) -> None:
    """Nothing tells which row has changed: none is paired, and the other side's cannot be told to be either."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
            1  | Ida
        """,
        service="""
            id | name
            1  | Eda
        """,
    )
    job = reconciled(given, tmp_path)
    (finding,) = rows(job, "discrepancies")
    assert (finding["reason"], '"rows": 2' in str(finding["evidence"])) == ("duplicate_key", True)
    (linkage,) = rows(job, "linkage")
    assert (linkage["matched"], linkage["legacy_duplicate"], linkage["service_ambiguous"]) == (0, 2, 1)


def test_one_row_left_over_on_either_side_is_no_pair(tmp_path: Path) -> None:
    """It may be one thing that has changed, or two things, each missing on the other side: nothing tells."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
            1  | Ida
        """,
        service="""
            id | name
            1  | Eda
            1  | Ada
        """,
    )
    job = reconciled(given, tmp_path)
    assert [(row["field"], row["reason"]) for row in rows(job, "discrepancies")] == [(None, "duplicate_key")] * 2
    (drift,) = rows(job, "drift")
    assert (drift["compared"], drift["equal"], drift["discrepant"]) == (1, 1, 0)


def test_duplicates_that_both_sides_hold_alike_are_no_finding(tmp_path: Path) -> None:
    """The same rows equally often, in whatever order, by what the comparators call the same."""
    given = Given(
        legacy="""
            id | name
            1  | Ada
            1  | Ada
            1  | Ida
        """,
        service="""
            id | name
            1  | ida
            1  | ADA
            1  | Ada
        """,
        rules=(Field("name", Same("name"), Text(ignore_case=True)),),
    )
    job = reconciled(given, tmp_path)
    assert rows(job, "discrepancies") == []
    (linkage,) = rows(job, "linkage")
    assert (linkage["matched"], linkage["legacy_matched"], linkage["linkage_rate"]) == (3, 3, 1.0)


def test_a_missing_part_of_a_composite_key(tmp_path: Path) -> None:
    """Never skipped, never matched: a key with a missing part denotes nothing, even if both sides lack the same."""
    table = """
            region | no | name
            N      | 1  | Ada
            N      |    | Bob
                   | 2  | Cleo
    """
    assert found(Given(legacy=table, service=table, key=("region", "no")), tmp_path) == [
        ("N|\\N", None, None, "key_linkage", "null_key"),
        ("\\N|2", None, None, "key_linkage", "null_key"),
        (None, "N|\\N", None, "key_linkage", "null_key"),
        (None, "\\N|2", None, "key_linkage", "null_key"),
    ]


def test_separators_inside_a_key_do_not_make_two_keys_one(tmp_path: Path) -> None:
    """('p;q', 'r') is not ('p', 'q;r'), whatever the separator."""
    given = Given(
        legacy="""
            a    | b | name
            p\\q | r | Ada
        """,
        service="""
            a | b    | name
            p | q\\r | Ada
        """,
        key=("a", "b"),
    )
    assert [reason for *_, reason in found(given, tmp_path)] == ["unmapped", "unmapped"]


def test_an_integer_key_meets_a_text_key_by_a_declared_form(tmp_path: Path) -> None:
    """1 and '001' are the same key because the declaration says how to read the text."""
    given = Given(
        legacy="""
            id:int | name
            1      | Ada
            2      | Bob
        """,
        service="""
            id  | name
            001 | Ada
            2b  | Bob
        """,
        identity=NaturalKey(legacy=(Same("id"),), service=(Number("id"),)),
    )
    assert found(given, tmp_path) == [
        ("2", None, None, "key_linkage", "unmapped"),
        (None, "2b", None, "key_linkage", "unmapped"),
    ]


MERGED = IdentityTable(
    Csv("links.csv"),
    legacy=("old",),
    service=("new",),
    cardinality=Cardinality.MANY_TO_ONE,
    merges=Merges(Csv("merges.csv"), merged=("gone",), survivor=("stays",)),
)
THREE = """
    id | name
    1  | Ada
    2  | Ida
    3  | Bob
"""


def test_merges_are_followed_to_the_survivor(tmp_path: Path) -> None:
    """1 went into 2 and 2 into 3: all are A; only what the survivor says counts."""
    given = Given(
        legacy=THREE,
        service="""
            id | name
            A  | Bob
        """,
        identity=MERGED,
        tables={
            "links": """
            old | new
            3   | A
            """,
            "merges": """
            gone | stays
            1    | 2
            2    | 3
            """,
        },
    )
    job = reconciled(given, tmp_path)
    assert rows(job, "discrepancies") == []
    (linkage,) = rows(job, "linkage")
    assert (linkage["legacy_matched"], linkage["service_matched"], linkage["matched"]) == (3, 1, 3)


def test_a_circle_of_merges_has_no_survivor(tmp_path: Path) -> None:
    given = Given(
        legacy=THREE,
        service="""
            id | name
            A  | Ada
            B  | Bob
        """,
        identity=MERGED,
        tables={
            "links": """
            old | new
            1   | A
            3   | B
            """,
            "merges": """
            gone | stays
            1    | 2
            2    | 1
            """,
        },
    )
    job = reconciled(given, tmp_path)
    findings = {
        (row["legacy_key"], row["service_key"], row["reason"]): row["evidence"] for row in rows(job, "discrepancies")
    }
    assert set(findings) == {("1", "A", "ambiguous"), ("2", None, "unmapped")}
    assert '"problem": "merge_cycle"' in str(findings["1", "A", "ambiguous"])


@pytest.mark.parametrize(("limit", "verdict"), [(0.3, "met"), (0.29, "breached")])
def test_as_many_rows_unlinked_as_allowed(tmp_path: Path, limit: float, verdict: str) -> None:
    """Three of ten on either side."""
    legacy, service = ("id\n" + "\n".join(map(str, range(at, at + 10))) for at in (0, 3))
    given = Given(
        legacy, service, rules=(Field("id", Same("id"), Exact()),), entity={"linkage_level": ServiceLevel(limit)}
    )

    (linkage,) = rows(reconciled(given, tmp_path), "linkage")
    assert (linkage["linkage_rate"], linkage["verdict"]) == (0.7, verdict)


def test_half_of_a_business_key_links_nothing(tmp_path: Path) -> None:
    """What a branch of code X is called nobody knows: its policy 7 is not the one that has no branch at all."""
    given = Given(
        legacy="""
            id | branch | no | name
            1  | R      | 7  | Ada
            2  | X      | 7  | Ida
        """,
        service="""
            id | policy | name
            A  | red 7  | Ada
            B  | 7      | Ida
        """,
        identity=NaturalKey(legacy=(Combine((Decode("branch", {"R": "red"}), "no")),), service=(Same("policy"),)),
    )
    assert found(given, tmp_path) == [
        ("2", None, None, "key_linkage", "unmapped"),
        (None, "B", None, "key_linkage", "unmapped"),
    ]
