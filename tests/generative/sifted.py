"""What a sieve let remain, in a form that is easily held against what is due."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.declarations import Side
from pipelines.sifting.remaining import PLACES


class Remained:
    """The rows of both sides that a sieve lets remain; `keep` is what it is given."""

    def __init__(self) -> None:
        self._kept = {side: [pl.DataFrame(PLACES.empty_table())] for side in Side}

    def keep(self, side: Side, places: pl.DataFrame) -> None:
        self._kept[side].append(places)

    def rows(self, side: Side) -> list[dict[str, Any]]:
        return pl.concat(self._kept[side], how="diagonal").to_dicts()

    def positions(self, side: Side) -> list[int]:
        return sorted(row["position"] for row in self.rows(side))

    def known_pairs(self) -> list[tuple[int, int, bool]]:
        """Both positions of each pair that is linked beyond doubt and differs, and whether its link is primary."""
        of_both = [[row for row in self.rows(side) if row["__pair"] is not None] for side in Side]
        places = [{row["__pair"]: row for row in rows} for rows in of_both]
        assert places[0].keys() == places[1].keys()
        assert all(len(place) == len(rows) for place, rows in zip(places, of_both, strict=True))
        pairs = [[place[pair] for place in places] for pair in places[0]]
        assert all(legacy["__link_primary"] is service["__link_primary"] for legacy, service in pairs)
        return sorted((legacy["position"], service["position"], legacy["__link_primary"]) for legacy, service in pairs)
