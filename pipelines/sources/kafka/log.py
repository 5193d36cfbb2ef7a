"""Reading a log: messages of given stretches, partition by partition, in the order of their offsets.

Only what was committed is read, nobody's offsets are moved, nothing is subscribed. What Kafka says is wrong becomes a
SourceError, which says whether it may pass. What messages mean is not known here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeVar

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources.kafka.ledger import Extent, Stretch
from pipelines.sources.secret import Secret, without

T = TypeVar("T")
_AT_ONCE = 2_000  # messages
_FIRST_TURN = 1.0  # seconds; each that follows is twice as long, for a broker that is slow
_A_MOMENT = 0.05  # seconds that are waited for so many, before what is there is taken
_BUFFER = 64 * 1024  # kilobytes that are fetched ahead
_NOT_PASSING = {
    KafkaError._AUTHENTICATION: "the broker does not accept user and password",  # noqa: SLF001 (Kafka's public codes)
    KafkaError.SASL_AUTHENTICATION_FAILED: "the broker does not accept user and password",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "this user may not read the topic",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this user may not read there",
    KafkaError._SSL: "no secure connection can be made",  # noqa: SLF001
    KafkaError._INVALID_ARG: "the client cannot be set up like this",  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART: "there is no such topic",
    KafkaError._UNKNOWN_TOPIC: "there is no such topic",  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION: "the topic does not have this partition",  # noqa: SLF001
    KafkaError.OFFSET_OUT_OF_RANGE: "the log no longer has these offsets",
    KafkaError._AUTO_OFFSET_RESET: "the log no longer has these offsets",  # noqa: SLF001
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFECT = logging.CRITICAL + 1  # librdkafka's own lines repeat what is raised here


@declared
class Login:
    """Who reads: a user, where the password is kept, and by which mechanism of SASL it is told."""

    user: str
    password: Secret
    _: KW_ONLY
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"


class Message(NamedTuple):
    """A message and where it stands; a missing value is a tombstone."""

    partition: int
    offset: int
    time: datetime | None
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Brokers:
    """How the brokers of a cluster are reached, and how long (in seconds) they may take to answer."""

    servers: str
    login: Login | None
    tls: bool
    authorities: str | None
    patience: float

    def settings(self) -> dict[str, object]:
        """As the client takes them."""
        protocol = ("SASL_" if self.login else "") + ("SSL" if self.tls else "PLAINTEXT")
        known: dict[str, object] = {"bootstrap.servers": self.servers, "security.protocol": protocol}
        if self.login:
            known |= {
                "sasl.mechanism": self.login.mechanism,
                "sasl.username": self.login.user,
                "sasl.password": self.login.password.reveal(),
            }
        return known | ({"ssl.ca.location": self.authorities} if self.authorities else {})


@contextmanager
def opened(topic: str, brokers: Brokers) -> Iterator[Log]:
    """The log of a topic for the length of a block. Raises SourceError when it cannot be reached."""
    settings = brokers.settings()
    log = Log(topic, brokers, str(settings.get("sasl.password", "")))
    try:
        with log.answering():
            log.connect(settings)
        yield log
    finally:
        log.close()


class Log:
    """A topic that is being read."""

    def __init__(self, topic: str, brokers: Brokers, secret: str) -> None:
        self._topic, self._brokers, self._secret = topic, brokers, secret
        self._consumer: Consumer | None = None
        self._trouble: KafkaError | None = None

    def connect(self, settings: dict[str, object]) -> None:
        """Set up the client; it reaches no broker yet."""
        quiet = logging.getLogger("coexist.kafka")
        quiet.setLevel(_DEFECT)
        bounded = {
            "group.id": "coexist",  # asked for, and never joined
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            "queued.max.messages.kbytes": _BUFFER,
            "error_cb": self._remember,
        }
        self._consumer = Consumer(settings | bounded, logger=quiet)

    def close(self) -> None:
        """Let go of the brokers."""
        if self._consumer is not None:
            self._consumer.close()

    def extent(self) -> Extent:
        """For each partition of the topic the first offset it still has, and the one behind its last committed."""
        consumer = self._ready()
        metadata = self._asking(lambda timeout: consumer.list_topics(self._topic, timeout=timeout)).topics[self._topic]
        if metadata.error is not None:
            raise self._failed(metadata.error)
        return {number: self._offsets(number) for number in metadata.partitions}

    def _offsets(self, number: int) -> tuple[int, int]:
        consumer, partition = self._ready(), TopicPartition(self._topic, number)
        return self._asking(lambda timeout: consumer.get_watermark_offsets(partition, timeout=timeout))

    def _asking(self, ask: Callable[[float], T]) -> T:
        """An answer, waited for in turns: while it waits the client does not tell what is wrong, only between."""
        until, turn = time.monotonic() + self._brokers.patience, _FIRST_TURN
        while True:
            left = until - time.monotonic()
            try:
                return ask(max(min(turn, left), _A_MOMENT))
            except KafkaException as error:
                self._ready().poll(0)
                if turn >= left or error.args[0].code() in _NOT_PASSING or self._is_hopeless():
                    raise self._failed(error.args[0]) from None
            turn *= 2

    def _is_hopeless(self) -> bool:
        return self._trouble is not None and self._trouble.code() in _NOT_PASSING

    def messages(self, stretch: Stretch) -> Iterator[list[Message]]:
        """The messages of a stretch, some at a time."""
        if stretch.low >= stretch.high:
            return
        consumer, ended, heard = self._ready(), False, time.monotonic()
        with self.answering():
            consumer.assign([TopicPartition(self._topic, stretch.partition, stretch.low)])
        while not ended:
            with self.answering():
                arrived = consumer.consume(_AT_ONCE, timeout=_A_MOMENT)
            if arrived:
                found, ended = self._sorted(arrived, stretch)
                if found:
                    yield found
                heard = time.monotonic()
            elif time.monotonic() - heard > self._brokers.patience:
                raise self._silent()

    def _sorted(self, arrived: list[KafkaMessage], stretch: Stretch) -> tuple[list[Message], bool]:
        """The messages among what arrived, and whether the end of the stretch was among it, too."""
        found: list[Message] = []
        for message in arrived:
            error, offset = message.error(), message.offset()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise self._failed(error)
            if offset is None or offset >= stretch.high:
                return found, True
            if error is None:
                found.append(_taken(message, stretch.partition, offset))
            if offset == stretch.high - 1:
                return found, True
        return found, False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Within this block Kafka's troubles are the source's."""
        try:
            yield
        except KafkaException as error:
            raise self._failed(error.args[0]) from None

    def _ready(self) -> Consumer:
        if self._consumer is None:
            raise TypeError("the log is not open")
        return self._consumer

    def _remember(self, error: KafkaError) -> None:
        """Of troubles that the client goes on after, the last; one that does not pass is kept."""
        if not self._is_hopeless():
            self._trouble = error

    def _silent(self) -> SourceError:
        if self._trouble is not None:
            return self._failed(self._trouble)
        return self._error(f"no answer for {self._brokers.patience:g} seconds", passing=True)

    def _failed(self, error: KafkaError) -> SourceError:
        """The trouble in our words. What is told last is often only the consequence of what was told before."""
        if error.code() not in _NOT_PASSING and self._trouble is not None and self._is_hopeless():
            error = self._trouble
        why = _NOT_PASSING.get(error.code())
        if why == "there is no such topic":
            return self._error(f"{why}{self._near()}", passing=False)
        return self._error(why or without(error.str(), self._secret), passing=why is None)

    def _near(self) -> str:
        """What was perhaps meant."""
        try:
            topics = self._ready().list_topics(timeout=self._brokers.patience).topics
        except KafkaException:
            return ""
        near = did_you_mean(self._topic, [name for name in topics if name != self._topic and name[:2] != "__"])
        return f"; {near}" if near else ""

    def _error(self, why: str, *, passing: bool) -> SourceError:
        return SourceError(f"topic {self._topic} at {self._brokers.servers}: {why}", transient=passing)


def _taken(message: KafkaMessage, partition: int, offset: int) -> Message:
    kind, milliseconds = message.timestamp()
    known = kind != TIMESTAMP_NOT_AVAILABLE
    at = _EPOCH + timedelta(milliseconds=milliseconds) if known else None
    return Message(partition, offset, at, message.key(), message.value())
