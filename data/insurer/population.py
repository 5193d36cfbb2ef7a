"""How many rows of each entity there are, and their keys on both sides: what entities must know of each other to refer.

Keys are functions of ids. `regular` ids live all days and may be referred to; nobody refers to reserved ones, so what
is planted on their links has no consequences elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Life, Merging
from data.insurer.sql import when

REGIONS = {"N": "NORTH", "S": "SOUTH", "W": "WEST", "E": "EAST", "M": "CENTRE"}
BRANCHES = ("N", "S", "W")


@dataclass(frozen=True)
class Population:
    """A world's rows by number."""

    seed: int
    size: int
    clock: Clock

    def life(self, entity: str) -> Life:
        """How the rows of an entity live."""
        chance, reserve = Chance(self.seed, entity), max(160, self.size // 12)
        if entity == "brokers":
            regular = max(80, self.size // 8)
            return Life(chance, self.clock, regular, regular + max(100, self.size // 40))
        if entity == "claims":
            reserve = max(400, self.size // 4)
            return Life(chance, self.clock, reserve, 2 * reserve, born_percent=60, died_percent=10)
        if entity == "parties":
            return Life(chance, self.clock, self.size, self.size + reserve, settled=self.is_household("id"))
        regular = {
            "policies": self.size - reserve,
            "endorsements": self.size * 6 // 10,
            "invoices": self.size * 12 // 10,
        }[entity]
        return Life(chance, self.clock, regular, regular + reserve)

    # parties

    def merging(self) -> Merging:
        """Parties merged: before the window (some of them referred to), and during it."""
        life = self.life("parties")
        early, late = self.early_merged, max(6, self.size // 400)
        within = f"{min(2, self.clock.last)} + id % {max(1, self.clock.days - 3)}"
        day = when(f"id < {life.total + early}", "-1", within)
        return Merging(life.total, early + late, f"({day})", self.survivor("id"))

    def survivor(self, of: str) -> str:
        """The party that a merged one was merged into."""
        life = self.life("parties")
        return self.no_household(life.chance.number("survivor", life.regular, of))

    @property
    def early_merged(self) -> int:
        """How many were merged before the window."""
        return max(20, self.size // 50)

    def is_household(self, of: str) -> str:
        """Condition: a household, which never changes."""
        return f"({of} % 40 = 7)"

    def no_household(self, of: str) -> str:
        """The id, or its neighbour when it is a household's."""
        return f"({of} - ({of} % 40 = 7)::BIGINT)"

    def some_party(self, chance: Chance, name: str, step: str = "0", of: str = "id") -> str:
        """A party to refer to, another one with every version in `step`; one in thirty was merged before the window."""
        life = self.life("parties")
        merged = (
            f"{life.total} + ({chance.number(f'{name} merged', self.early_merged, of)} + {step}) % {self.early_merged}"
        )
        return (
            f"CASE WHEN {chance.one_in(f'{name} is merged', 30, of)} THEN {merged} "
            f"ELSE ({chance.number(name, life.regular, of)} + 17 * {step}) % {life.regular} END"
        )

    def party_no(self, of: str) -> str:
        """Legacy key."""
        return f"format('{{:08d}}', CAST({of} AS BIGINT) + 10000)"

    def party_id(self, of: str) -> str:
        """Service key of a party's own, or primary, counterpart."""
        return self._identifier("parties", "PTY", of)

    def party_reference(self, of: str) -> str:
        """Service key that a reference to a party means."""
        merged = f"{of} >= {self.life('parties').total}"
        return f"CASE WHEN {merged} THEN {self.party_id(self.survivor(of))} ELSE {self.party_id(of)} END"

    # brokers

    def region(self, of: str) -> str:
        """First part of the legacy key."""
        return f"{list(REGIONS)}[1 + {of} % 5]"

    def broker_no(self, of: str) -> str:
        """Second part: unique within its region only."""
        return f"format('{{:05d}}', CAST({of} AS BIGINT) // 5 + 100)"

    def broker_id(self, of: str) -> str:
        """Service key."""
        return self._identifier("brokers", "BRK", of)

    # policies

    def branch(self, of: str) -> str:
        """First part of the legacy key."""
        return f"{list(BRANCHES)}[1 + {of} % 3]"

    def policy_no(self, of: str) -> str:
        """Second part."""
        return f"format('{{:07d}}', CAST({of} AS BIGINT) // 6 + 1000)"

    def suffix(self, of: str) -> str:
        """Third part."""
        return f"format('{{:02d}}', 1 + CAST({of} AS BIGINT) // 3 % 2)"

    def policy_id(self, of: str) -> str:
        """Service key."""
        return self._identifier("policies", "POL", of)

    def policy_key(self, of: str) -> dict[str, str]:
        """Legacy key by column, as other entities hold it."""
        return {"BRANCH": self.branch(of), "POLICY_NO": self.policy_no(of), "SUFFIX": self.suffix(of)}

    def _identifier(self, entity: str, prefix: str, of: str) -> str:
        return f"({Chance(self.seed, entity).identifier(prefix, of=of)})"


def joined(parts: dict[str, str]) -> str:
    """Key text of several parts."""
    return "concat_ws('|', " + ", ".join(parts.values()) + ")"
