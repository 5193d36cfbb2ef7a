"""The lake: immutable Parquet of every stage, each beside a manifest that says what it is and what it was made from.

    <root>/<context>/<entity>/<stage>/business_date=<partition>/<stage>.parquet  and  _manifest.json

Everything of one transaction is written aside and becomes visible when the transaction ends well, or not at all. Which
stages there are, and what is in them, is not known here.
"""

from pipelines.lake.manifest import Address, Manifest
from pipelines.lake.storage import WORKING
from pipelines.lake.store import Lake
from pipelines.lake.transaction import Spool, Transaction

__all__ = ["WORKING", "Address", "Lake", "Manifest", "Spool", "Transaction"]
