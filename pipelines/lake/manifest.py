"""Where a table of the lake is, and what is written beside it about it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

MANIFEST = "_manifest.json"  # readers of datasets skip names that begin with an underscore
PARTITION = "business_date="


@dataclass(frozen=True)
class Address:
    """Where a stage's table of one partition is; without a partition, the stage's one table."""

    context: str
    entity: str
    stage: str
    partition: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.context, self.entity, self.stage, self.partition) if part is not None)

    @property
    def folder(self) -> Path:
        """The folder of this table, relative to the lake."""
        stage = Path(self.context, self.entity, self.stage)
        return stage if self.partition is None else stage / f"{PARTITION}{self.partition}"

    @property
    def file(self) -> Path:
        """The Parquet file of this table, relative to the lake."""
        return self.folder / f"{self.stage}.parquet"


@dataclass(frozen=True)
class Manifest:
    """What a table is and what it was made from. `digest` depends on its content only, `volatile` columns left out."""

    rows: int
    digest: str
    run_id: str
    written_at: datetime
    code_version: str = ""
    watermark: datetime | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    size: int = 0  # of the file, in bytes

    def as_json(self) -> str:
        """As the file beside the table holds it."""
        values = asdict(self)
        values["written_at"] = self.written_at.isoformat()
        values["watermark"] = self.watermark.isoformat() if self.watermark else None
        return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Read back; ValueError, TypeError, KeyError or AttributeError when it is not a manifest."""
        known = {declared.name for declared in fields(Manifest)}
        values = {name: value for name, value in json.loads(text).items() if name in known}
        values["written_at"] = datetime.fromisoformat(values["written_at"])
        values["watermark"] = datetime.fromisoformat(values["watermark"]) if values["watermark"] else None
        values["volatile"] = tuple(values["volatile"])
        return Manifest(**values)
