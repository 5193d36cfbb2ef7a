"""Resources: the memory and threads that a process may use while it reconciles, and the engine's part of the memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from pipelines import settings

_BESIDE = 640 * 1024**2  # bytes: of Python and what it imports, and of rows on their way in and out
_ENGINE_SHARE = 0.9  # of what these leave; an engine takes somewhat more than it is told to
_AT_LEAST = 0.25  # of all, where they leave next to nothing


@dataclass(frozen=True)
class Resources:
    """What a process may use while it reconciles. `memory` is in bytes, and what goes beyond it is spilled to disk.

    Raises DeclarationError where the environment says something that cannot be read.
    """

    memory: int = field(default_factory=lambda: settings.size("COEXIST_MEMORY_LIMIT", "4GB"))
    threads: int = field(default_factory=lambda: settings.whole_number("COEXIST_THREADS", 0) or os.cpu_count() or 1)

    def part(self, share: float) -> Resources:
        """The same threads with a share of the memory."""
        return replace(self, memory=int(self.memory * share))

    @property
    def engine_memory(self) -> int:
        """Bytes that an engine may fill before it spills."""
        return int(max(_ENGINE_SHARE * (self.memory - _BESIDE), _AT_LEAST * self.memory))
