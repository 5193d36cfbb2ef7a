"""A broker of Kafka's protocol of our own: the one in librdkafka, in this process, on loopback. It keeps nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from confluent_kafka import Producer

BY_KEY = -1  # the partition that the client chooses: the same for the same key
Message = tuple[bytes | None, bytes | None, int]  # key, value (none: a tombstone), partition
_PATIENCE = 30.0  # seconds until everything must have been taken
_QUIET = {"log_level": 0}


class Broker:
    """A broker that lives as long as this process; it listens at `servers`."""

    def __init__(self) -> None:
        cluster = Producer({"test.mock.num.brokers": 1} | _QUIET)
        # Never freed: to end one, librdkafka asks a thread of its own, and waits for ever if that has ended before.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(cluster))
        (broker,) = cluster.list_topics(timeout=_PATIENCE).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"
        self._producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5} | _QUIET)

    def append(self, topic: str, messages: Iterable[Message]) -> int:
        """Append messages to a topic, which is made when it is new; how many. Raises RuntimeError."""
        count = 0
        for key, value, partition in messages:
            self._producer.produce(topic, key=key, value=value, partition=partition)
            self._producer.poll(0)
            count += 1
        left = self._producer.flush(_PATIENCE)
        if left:
            raise RuntimeError(f"the broker did not take {left} of {count} messages for topic {topic}")
        return count
