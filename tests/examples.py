"""What Hypothesis tries: the same examples on every run, as many as a test says, or a part of them.

A test says how many are enough: `@settings(max_examples=examples(40))`. EXAMPLES says how many of a hundred of these
are tried: in CI, and where it is not set, all of them; in `make test` fewer, because one waits for it.
`EXPLORE=1 pytest tests/generative` looks for new examples instead, and remembers what it found.
"""

from __future__ import annotations

import math
import os

from hypothesis import HealthCheck, Phase, settings

OF_A_HUNDRED = int(os.environ.get("EXAMPLES", "100"))
_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def examples(enough: int) -> int:
    """How many to try where so many are enough; never none."""
    return math.ceil(enough * OF_A_HUNDRED / 100)


def load_profile() -> None:
    """Hypothesis as all tests want it: a failing build must fail again on the next machine."""
    # A deadline per example measures how busy the machine is, not the product.
    common = settings(max_examples=examples(100), deadline=None, suppress_health_check=_SLOW_IS_FINE)
    settings.register_profile("same", common, derandomize=True, database=None, report_multiple_bugs=False)
    settings.register_profile("explore", common, phases=set(Phase))
    settings.load_profile("explore" if os.environ.get("EXPLORE") else "same")
