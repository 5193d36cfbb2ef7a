"""Chance without state: every draw is SQL, a function of seed, entity, name of the draw and id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from data.insurer.sql import listed


@dataclass(frozen=True)
class Chance:
    """The draws of one entity."""

    seed: int
    entity: str

    def salt(self, name: str) -> int:
        """A constant that sets this draw apart from all others."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{self.entity}/{name}".encode()).digest()[:7])

    def raw(self, name: str, of: str = "id") -> str:
        """64 random bits of an id."""
        return f"hash(CAST({of} AS BIGINT), {self.salt(name)})"

    def number(self, name: str, below: int, of: str = "id") -> str:
        """An integer from 0 to below - 1."""
        return f"CAST({self.raw(name, of)} % {below} AS BIGINT)"

    def one_in(self, name: str, often: int, of: str = "id") -> str:
        """A condition true for one id in `often`."""
        return f"({self.raw(name, of)} % {often} = 0)"

    def pick(self, name: str, words: Sequence[str], *, step: str = "0", of: str = "id") -> str:
        """One of the words; a step to the next one with every version in `step`."""
        return f"{listed(words)}[1 + ({self.number(name, len(words), of)} + {step}) % {len(words)}]"

    def identifier(self, prefix: str, name: str = "identifier", of: str = "id") -> str:
        """A key as services make them: no order, no meaning."""
        return f"'{prefix}-' || format('{{:016x}}', {self.raw(name, of)})"
