"""Sources: where the rows of one side come from. One module per kind; `source` holds the protocol they all keep."""

from pipelines.sources.csv import Csv
from pipelines.sources.fixed_width import Column, FixedWidth
from pipelines.sources.parquet import ParquetFile
from pipelines.sources.source import REJECTED, Batch, Place, Reading, Source

__all__ = ["REJECTED", "Batch", "Column", "Csv", "FixedWidth", "ParquetFile", "Place", "Reading", "Source"]
