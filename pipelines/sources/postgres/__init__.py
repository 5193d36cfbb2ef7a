"""Postgres: tables of a database, read exactly and as of one moment. `database` is what one declares."""

from pipelines.sources.postgres.database import Postgres

__all__ = ["Postgres"]
