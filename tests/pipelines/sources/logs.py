"""A Kafka broker for tests (librdkafka's own, on loopback, real protocol) and a schema registry of a few lines."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from data.live import kafka

PATIENCE = timedelta(seconds=20)  # more than a busy machine takes; it is waited for in vain by no test


class Broker(kafka.Broker):
    """The broker of the live demo, for messages as tests write them."""

    def send(self, topic, *messages):
        """Messages as (key, value, partition); objects are written as JSON, None stays none."""
        self.append(topic, ((_bytes(key), _bytes(value), partition) for key, value, partition in messages))


def _bytes(value):
    if value is None or isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


class Registry:
    """Answers for schemas by number and for subjects by version; remembers what was asked, or fails with a status."""

    def __init__(self, url):
        self.url, self.asked, self.status = url, [], 200
        self.schemas, self.subjects = {}, {}

    def answer(self, path):
        self.asked.append(path)
        parts = path.partition("?")[0].strip("/").split("/")
        if self.status != 200:
            return self.status, {"error_code": self.status, "message": "no"}
        if parts[:2] == ["schemas", "ids"] and int(parts[2]) in self.schemas:
            return 200, self.schemas[int(parts[2])]
        if parts[0] == "subjects" and (parts[1], int(parts[3])) in self.subjects:
            return 200, self.subjects[parts[1], int(parts[3])]
        return 404, {"error_code": 40403, "message": "Schema not found"}


@contextmanager
def registry():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = served.answer(self.path)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Registry(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
