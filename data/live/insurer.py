"""`python -m data.live.insurer`: servers with the insurer of `$COEXIST_INSURER_WORLD`, until standard input ends.

Says on standard output, as one line of JSON, which environment leads to them. Then every line on standard input is a
business date: the events up to it are published, and a line of JSON says how many. Servers listen on loopback only.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from assets.contexts import billing, broker, claims, party, policy
from data.live import filling, host, mariadb, postgres
from data.live.declaring import HOST_FILES, KAFKA, MARIADB, POSTGRES, topic
from data.live.kafka import Broker
from data.live.servers import Absent
from pipelines.declarations import Context, Side

CONTEXTS: tuple[Context, ...] = (party.context, broker.context, policy.context, billing.context, claims.context)


def main() -> None:
    """Start, load, say where, publish what is asked for, and stop at the end of input or when told to end."""
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coexist-live-")))
        folder.chmod(0o755)  # the user that servers run as must get in
        try:
            environment = _loaded(stack, folder)
        except Absent as absent:
            sys.exit(str(absent))
        log = Broker()
        _say({"environment": environment | {KAFKA: log.servers}})
        _publish(log)


def _leave(*_: object) -> None:
    """End as after an error: everything that was started is stopped, and a second signal does not disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _loaded(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Running and loaded databases, and the environment that leads to them. MariaDB may be absent, Postgres not."""
    service = stack.enter_context(postgres.running(folder))
    filling.postgres(service.url(), _tables(Side.SERVICE))
    return {POSTGRES: service.url()} | _legacy(stack, folder)


def _legacy(stack: ExitStack, folder: Path) -> dict[str, str]:
    """The legacy side in a MariaDB, or in files as a host writes them."""
    try:
        server = stack.enter_context(mariadb.running(folder))
    except Absent as absent:
        files = folder / "host"
        files.mkdir()
        for entity, days in _tables(Side.LEGACY).items():
            host.write(files, entity, days)
        sys.stderr.write(f"{absent}: legacy is read from files in EBCDIC instead\n")
        return {HOST_FILES: str(files)}
    filling.maria(server, _tables(Side.LEGACY))
    return {MARIADB: server.url("host")}


def _tables(side: Side) -> dict[str, filling.Tables]:
    return {
        entity.name: filling.days(context, entity.legacy if side is Side.LEGACY else entity.service)
        for context in CONTEXTS
        for entity in context.entities
    }


def _publish(log: Broker) -> None:
    """Publish the events of the days up to each date that is asked for, each day once."""
    published = ""
    for line in sys.stdin:
        asked, count = line.strip(), 0
        for context in CONTEXTS:
            for entity in context.entities:
                for messages in filling.events(context, entity, after=published, until=asked):
                    count += log.append(topic(entity.name), messages)
        published = max(published, asked)
        _say({"published": asked, "events": count})


def _say(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if "COEXIST_INSURER_WORLD" not in os.environ:
        sys.exit("COEXIST_INSURER_WORLD must say where the insurer's files are")
    main()
