"""Where in the declarations something stands: the file and line it was written at, and the path that leads to it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.declared import place_of
from pipelines.errors import Problem


@dataclass(frozen=True)
class Spot:
    """A place in the declarations, such as `contexts/policy.py:31` and `policy.policies.fields.premium`."""

    file: str
    path: str

    def at(self, *names: str, of: object = None) -> Spot:
        """A part below this place; `of` is the declaration there, whose own line counts when it has one."""
        return Spot(place_of(of) or self.file, ".".join((self.path, *names)))

    def part(self, declaration: object, *names: str) -> Spot:
        """An attribute of the declaration at this place, by name, and what is inside it."""
        return self.at(*names, of=getattr(declaration, names[0], None)) if names else self

    def problem(self, message: str, suggestion: str = "") -> Problem:
        """Something wrong at this place."""
        return Problem(self.file, self.path, message, suggestion)
