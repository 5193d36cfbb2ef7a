"""`python -m data.insurer --target DIR [--seed N] [--size POLICIES] [--days N]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from data.insurer.generate import DEFAULT_DAYS, DEFAULT_SEED, DEFAULT_SIZE, generate


def main() -> None:
    """Generate a world and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m data.insurer", description="Generate the insurer's two worlds.")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--size", type=int, default=DEFAULT_SIZE, help="number of policies")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS)
    given = parser.parse_args()
    try:
        world = generate(given.target, seed=given.seed, size=given.size, days=given.days)
    except ValueError as error:
        parser.error(str(error))
    rows = sum(count for sides in world.rows.values() for count in sides.values())
    events = sum(world.events.values())
    sys.stdout.write(
        f"{world.target}: {world.days} days, {rows} rows a day, {events} events, {world.ledger_rows} ledger rows\n"
    )


if __name__ == "__main__":
    main()
