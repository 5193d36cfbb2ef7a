"""Every relational database that SQLAlchemy has a dialect for, read exactly by way of Python's values.

Slower than Postgres by its own reader, and each table as of a moment of its own. `database` is what one declares.
"""

from pipelines.sources.relational.database import SqlDatabase

__all__ = ["SqlDatabase"]
