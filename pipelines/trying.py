"""Trying again: what may pass is tried a few times, with growing waits in between.

The waits are random, too, so that no crowd returns to a server at once.
"""

from __future__ import annotations

import stamina

from pipelines.errors import SourceError

_ATTEMPTS = 4


def _may_pass(error: Exception) -> bool:
    return isinstance(error, SourceError) and error.transient


again = stamina.retry(on=_may_pass, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=5.0)
