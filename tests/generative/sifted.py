"""What a sieve let remain, in a form that is easily held against what is due."""

from __future__ import annotations

from pipelines.declarations import Side
from pipelines.sieve import Sifted


def known_pairs(sifted: Sifted) -> list[tuple[int, int, bool]]:
    """Both positions of each pair that is linked beyond doubt and differs, and whether its link is primary."""
    places = [{row["__pair"]: row for row in sifted.places(side).to_pylist()} for side in Side]
    assert all(len(of.keys() - {None}) == sifted.known for of in places)
    pairs = [[of[pair] for of in places] for pair in places[0].keys() - {None}]
    assert all(legacy["__link_primary"] is service["__link_primary"] for legacy, service in pairs)
    return sorted((legacy["position"], service["position"], legacy["__link_primary"]) for legacy, service in pairs)
