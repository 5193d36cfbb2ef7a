"""Legacy rows that no snapshot has ever shown: an event names their key, and what it says counts for their counterpart.

All on one day, the first: legacy has no row, the service has one. Natural keys link them by any spelling of the key.
"""

from dataclasses import replace

import pytest

from pipelines import declarations as say
from tests.spec.causes import LOG, TYPES
from tests.spec.given import Given, found

HEAD = "no: int | at | recorded | what | name"
LATE, UNKNOWN = ("stale_replica", "deletion_not_propagated"), ("key_linkage", "unmapped")
ONE, TWO = "id | name", "branch: int | id | name"


def of(number, service="7", *, key=("id",), legacy=ONE, natural=None, **holder):
    """One service row, and one event that deletes the legacy row of this number."""
    numbers, columns = f"{number} | 2", " | ".join(key)
    log = f"{columns} | {HEAD}\n{numbers} | 2026-01-01T09:00:00Z | 2026-01-01T09:00:01Z | Scrapped |"
    return Given(
        legacy,
        f"code | name\n{service} | Ada",
        key=key,
        service_key=("code",),
        identity=say.NaturalKey(legacy=natural or tuple(map(say.Clean, key)), service=_parts(len(key))),
        rules=(say.Field("code", say.Same("id"), say.Exact()), say.Field("name", say.Same("name"), say.Exact())),
        legacy_holder=holder,
        tables={"events_2026-01-01": log},
        entity={"events": replace(LOG, key=key)},
        context={"event_types": TYPES},
    )


def _parts(number):
    code = say.Clean("code", leading_zeros=True)
    return (code,) if number == 1 else tuple(say.Clean(say.Split("code", separator="-", part=n)) for n in (1, 2))


@pytest.mark.parametrize(
    ("given", "found_on_it"),
    [
        (of("7"),                                                                   LATE),
        (of("7", "007"),                                                            LATE),
        (of("8"),                                                                   UNKNOWN),
        (of("3 | 7", "3-7", key=("branch", "id"), legacy=TWO),                      LATE),
        (of("4 | 7", "3-7", key=("branch", "id"), legacy=TWO),                      UNKNOWN),
        # The event names the key; that is not enough where a link is made of something else.
        (of("7", natural=(say.Clean("name"),)),                                     UNKNOWN),
        (of("7", scope="name <> 'Eva'"),                                            UNKNOWN),
        (of("7", scope="id <> '8'"),                                                LATE),
        (of("7", scope="id <> '7'"),                                                UNKNOWN),
    ],
)  # fmt: skip
def test_rows_known_by_an_event_alone(tmp_path, given, found_on_it):
    ((_, _, _, *cause),) = found(given, tmp_path)

    assert tuple(cause) == found_on_it
