"""Hypothesis, the same on every run: a failing build must fail again on the next machine.

`EXPLORE=1 pytest tests/generative` looks for new examples instead, and remembers what it found.
"""

import os

from hypothesis import HealthCheck, Phase, settings

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

settings.register_profile(
    "same",
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile("explore", deadline=None, suppress_health_check=_SLOW_IS_FINE, phases=set(Phase))
settings.load_profile("explore" if os.environ.get("EXPLORE") else "same")
