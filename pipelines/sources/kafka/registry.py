"""A schema registry, as it is declared. What is asked of it is `schemas`'."""

from __future__ import annotations

from dataclasses import KW_ONLY

from pipelines.declared import declared
from pipelines.sources.secret import Secret


@declared
class SchemaRegistry:
    """Where schemas are kept: its URL, and if it asks for one, a user and where the password is kept."""

    url: str
    _: KW_ONLY
    user: str = ""
    password: Secret | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or "@" in self.url:
            raise ValueError("url begins with http:// or https://, and holds no user or password")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password are given together")
