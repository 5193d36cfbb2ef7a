"""`python -m data.live.insurer`: servers with the insurer of `$COEXIST_INSURER_WORLD`, until standard input ends.

Says on standard output, as one line of JSON, which environment leads to them. They listen on loopback only.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from assets.contexts import billing, broker, claims, party, policy
from data.live import filling, mariadb, postgres
from data.live.declaring import MARIADB, POSTGRES
from data.live.servers import Absent
from pipelines.declarations import Context, Side

CONTEXTS: tuple[Context, ...] = (party.context, broker.context, policy.context, billing.context, claims.context)


def main() -> None:
    """Start, load, say where, wait."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coexist-live-")))
        folder.chmod(0o755)  # the user that servers run as must get in
        try:
            environment = _servers(stack, folder)
        except Absent as absent:
            sys.exit(str(absent))
        sys.stdout.write(json.dumps({"environment": environment}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _servers(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Running and loaded servers, and the environment that leads to them. MariaDB may be absent, Postgres not."""
    service = stack.enter_context(postgres.running(folder))
    filling.postgres(service.url(), _tables(Side.SERVICE))
    environment = {POSTGRES: service.url()}
    try:
        host = stack.enter_context(mariadb.running(folder))
    except Absent as absent:
        sys.stderr.write(f"{absent}: legacy is read from its files\n")
        return environment
    filling.maria(host, _tables(Side.LEGACY))
    return environment | {MARIADB: host.url("host")}


def _tables(side: Side) -> dict[str, filling.Tables]:
    return {
        entity.name: filling.days(context, entity.legacy if side is Side.LEGACY else entity.service)
        for context in CONTEXTS
        for entity in context.entities
    }


if __name__ == "__main__":
    if "COEXIST_INSURER_WORLD" not in os.environ:
        sys.exit("COEXIST_INSURER_WORLD must say where the insurer's files are")
    main()
