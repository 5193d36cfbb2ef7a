"""The bank registry, from its files as ever."""

from assets.contexts.banks import context

__all__ = ["context"]
