"""A broker of a few lines, for what no broker at hand can do: transactions given up, TLS, users who log in by SASL.

It speaks what a reader asks. Its one topic has one partition, made of record batches as Kafka stores them; whoever is
told to read committed messages does not get those of open transactions, and gets the others with the list of what was
aborted, as the protocol wants it.
"""

import base64
import hashlib
import hmac
import itertools
import socketserver
import ssl
import struct
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

TOPIC = "policies"
USER, PASSWORD, SALT, ROUNDS = "coexist", "geheim-0815", b"salt", 4096
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
FETCH, LIST_OFFSETS, METADATA, COORDINATOR, HANDSHAKE, VERSIONS, AUTHENTICATE = 1, 2, 3, 10, 17, 18, 36
SUPPORTED = {
    0: (3, 3), FETCH: (4, 4), LIST_OFFSETS: (2, 2), METADATA: (1, 1), COORDINATOR: (0, 0), HANDSHAKE: (1, 1),
    VERSIONS: (0, 0), AUTHENTICATE: (0, 0),
}  # fmt: skip
UNSUPPORTED_VERSION, SASL_FAILED, UNKNOWN_TOPIC, NO_COORDINATOR = 35, 58, 3, 15
LATEST, TRANSACTIONAL, CONTROL = -1, 0x10, 0x20
ABORT, COMMIT = 0, 1


@dataclass
class Batch:
    """A record batch: its first offset, who wrote it, and its records as (key, value)."""

    offset: int
    producer: int
    attributes: int
    records: list

    @property
    def end(self):
        return self.offset + len(self.records)

    def as_bytes(self):
        records = b"".join(self._record(at, key, value) for at, (key, value) in enumerate(self.records))
        count = len(self.records)
        body = struct.pack(">hiqqqhii", self.attributes, count - 1, 0, 0, self.producer, 0, 0, count) + records
        return struct.pack(">qiibI", self.offset, len(body) + 9, 0, 2, 0) + body  # readers do not check the sum

    @staticmethod
    def _record(at, key, value):
        body = b"\0" + varint(0) + varint(at) + varint(len(key)) + key + varint(len(value)) + value + varint(0)
        return varint(len(body)) + body


def varint(number):
    """A signed number as Kafka's records have it."""
    left, found = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


@dataclass
class Log:
    """The partition: what was appended, by whom, and which transactions are open or were given up."""

    batches: list = field(default_factory=list)
    open: dict = field(default_factory=dict)  # producer -> first offset
    aborted: list = field(default_factory=list)  # producer, first offset, offset of the mark

    @property
    def end(self):
        return self.batches[-1].end if self.batches else 0

    @property
    def stable(self):
        return min([self.end, *self.open.values()])

    def append(self, *values, producer=-1):
        """Messages; of a producer they are part of its transaction, which begins here if it has none."""
        if producer >= 0:
            self.open.setdefault(producer, self.end)
        records = [(b"k", value) for value in values]
        self.batches.append(Batch(self.end, producer, TRANSACTIONAL if producer >= 0 else 0, records))

    def finish(self, producer, kind):
        """The mark that ends the transaction of a producer."""
        first, end = self.open.pop(producer), self.end
        if kind == ABORT:
            self.aborted.append((producer, first, end))
        self.batches.append(Batch(end, producer, TRANSACTIONAL | CONTROL, [(struct.pack(">hh", 0, kind), b"")]))


class Reader:
    """The fields of a request, one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        found = struct.unpack_from(f">{form}", self.data, self.at)
        self.at += struct.calcsize(f">{form}")
        return found[0] if len(found) == 1 else found

    def text(self, form="h"):
        length = self.take(form)
        self.at += max(length, 0)
        return None if length < 0 else self.data[self.at - length : self.at]


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">h", len(data)) + data


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback; with TLS when it has a certificate, with users when they must log in."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, *, certificate=None, login=False):
        super().__init__(("127.0.0.1", 0), Connection)
        self.log, self.login, self.context = Log(), login, None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)

    @property
    def servers(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that does not like the certificate, or has had enough, hangs up."""


class Connection(socketserver.BaseRequestHandler):
    """One client: its requests, answered in order."""

    def handle(self):
        if self.server.context:
            with self.server.context.wrap_socket(self.request, server_side=True) as self.request:
                self._serve()
        else:
            self._serve()

    def _serve(self):
        self.known, self.scram = not self.server.login, None
        while header := self._exactly(4):
            request = Reader(self._exactly(struct.unpack(">i", header)[0]))
            api, version, number = request.take("hhi")
            request.text()  # who asks
            if not self.known and api not in (VERSIONS, HANDSHAKE, AUTHENTICATE):
                return
            body = self._answer(api, version, request)
            self.request.sendall(struct.pack(">ii", len(body) + 4, number) + body)

    def _exactly(self, count):
        found = b""
        while len(found) < count:
            more = self.request.recv(count - len(found))
            if not more:
                return b""
            found += more
        return found

    def _answer(self, api, version, request):
        if api == VERSIONS:
            listed = b"".join(struct.pack(">hhh", key, *span) for key, span in SUPPORTED.items())
            return struct.pack(">hi", UNSUPPORTED_VERSION if version else 0, len(SUPPORTED)) + listed
        answers = {
            METADATA: self._metadata, LIST_OFFSETS: self._offsets, FETCH: self._fetch, HANDSHAKE: self._handshake,
            AUTHENTICATE: self._authenticate, COORDINATOR: lambda _: struct.pack(">hihi", NO_COORDINATOR, -1, 0, 0),
        }  # fmt: skip
        return answers[api](request)

    def _metadata(self, request):
        asked = [request.text().decode() for _ in range(max(request.take("i"), 0))] or [TOPIC]
        here = struct.pack(">ii", 1, 1) + text("127.0.0.1") + struct.pack(">ihi", self.server.server_address[1], -1, 1)
        partition = struct.pack(">ihiiiiii", 1, 0, 0, 1, 1, 1, 1, 1)
        topics = b"".join(
            struct.pack(">h", 0) + text(name) + b"\0" + partition if name == TOPIC
            else struct.pack(">h", UNKNOWN_TOPIC) + text(name) + b"\0" + struct.pack(">i", 0)
            for name in asked
        )  # fmt: skip
        return here + struct.pack(">i", len(asked)) + topics

    def _offsets(self, request):
        _, committed, _ = request.take("ibi")
        topic, (_, partition, asked) = request.text(), request.take("iiq")
        log = self.server.log
        offset = (log.stable if committed else log.end) if asked == LATEST else 0
        return struct.pack(">ii", 0, 1) + text(topic) + struct.pack(">iihqq", 1, partition, 0, -1, offset)

    def _fetch(self, request):
        *_, committed, _ = request.take("iiiibi")
        topic, (_, partition, first, _) = request.text(), request.take("iiqi")
        log = self.server.log
        end = log.stable if committed else log.end
        sent = b"".join(batch.as_bytes() for batch in log.batches if first < batch.end <= end)
        given_up = [(who, start) for who, start, mark in log.aborted if mark >= first] if committed else []
        if not sent:
            threading.Event().wait(0.05)
        head = struct.pack(">ii", 0, 1) + text(topic) + struct.pack(">iihqq", 1, partition, 0, log.end, log.stable)
        listed = struct.pack(">i", len(given_up)) + b"".join(struct.pack(">qq", *one) for one in given_up)
        return head + listed + struct.pack(">i", len(sent)) + sent

    def _handshake(self, request):
        self.mechanism = request.text().decode()
        return struct.pack(">hi", 0, len(MECHANISMS)) + b"".join(map(text, MECHANISMS))

    def _authenticate(self, request):
        said = request.text("i")
        if self.mechanism == "PLAIN":
            self.known = said == f"\0{USER}\0{PASSWORD}".encode()
            answer = b""
        else:
            answer = self._scram(said.decode())
        if answer is None or (self.mechanism == "PLAIN" and not self.known):
            return struct.pack(">h", SASL_FAILED) + text("no") + struct.pack(">i", 0)
        return struct.pack(">hh", 0, -1) + struct.pack(">i", len(answer)) + answer

    def _scram(self, said):
        """RFC 5802, from the side of the server; None for a wrong proof."""
        kind = self.mechanism.removeprefix("SCRAM-").replace("-", "").lower()
        if self.scram is None:
            first = said.split(",", 2)[2]
            asked = dict(part.split("=", 1) for part in first.split(","))
            answer = f"r={asked['r']}server,s={base64.b64encode(SALT).decode()},i={ROUNDS}"
            self.scram = (first, answer)
            return answer.encode() if asked["n"] == USER else None
        bare, proof = said.rsplit(",p=", 1)
        salted = hashlib.pbkdf2_hmac(kind, PASSWORD.encode(), SALT, ROUNDS)
        stored = hashlib.new(kind, hmac.digest(salted, b"Client Key", kind)).digest()
        signed = ",".join((*self.scram, bare)).encode()
        mask = hmac.digest(stored, signed, kind)
        key = bytes(one ^ other for one, other in itertools.zip_longest(base64.b64decode(proof), mask, fillvalue=0))
        self.known = hashlib.new(kind, key).digest() == stored
        signature = hmac.digest(hmac.digest(salted, b"Server Key", kind), signed, kind)
        return b"v=" + base64.b64encode(signature) if self.known else None


@contextmanager
def served(**options):
    """The broker, as long as the block."""
    with Server(**options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def certificate(folder):
    """A certificate for this machine that vouches for itself, with its key, in one file."""
    made = folder / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, "-keyout", made, "-out", folder / "public.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_bytes(made.read_bytes() + (folder / "public.pem").read_bytes())
    return made
