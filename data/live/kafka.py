"""A broker of Kafka's protocol of our own: the one in librdkafka, in this process, on loopback. It keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Producer

_PATIENCE = 30.0  # seconds until everything must have been taken
_QUIET = {"log_level": 0}


@dataclass(frozen=True)
class Server:
    """A running broker: where it listens, and who writes to it."""

    servers: str
    producer: Producer

    def send(self, topic: str, messages: Iterable[tuple[str, str]]) -> int:
        """Append messages (key, value) to a topic, which is made when it is new; how many. Raises RuntimeError."""
        count = 0
        for key, value in messages:
            self.producer.produce(topic, key=key.encode(), value=value.encode())
            self.producer.poll(0)
            count += 1
        left = self.producer.flush(_PATIENCE)
        if left:
            raise RuntimeError(f"the broker did not take {left} of {count} messages for topic {topic}")
        return count


@contextmanager
def running() -> Iterator[Server]:
    """A new broker, which is gone with the block."""
    cluster = Producer({"test.mock.num.brokers": 1} | _QUIET)
    (broker,) = cluster.list_topics(timeout=_PATIENCE).brokers.values()
    servers = f"{broker.host}:{broker.port}"
    yield Server(servers, Producer({"bootstrap.servers": servers, "linger.ms": 5} | _QUIET))
    cluster.flush(0)
