"""What brokers do beside keeping messages: transactions that are open or given up, TLS, and users who log in."""

import shutil
from datetime import timedelta

import pyarrow as pa
import pytest

from pipelines.errors import SourceError
from pipelines.sources import Env, Kafka, Login
from tests.pipelines.sources import kafka_wire
from tests.pipelines.sources.kafka_wire import ABORT, COMMIT, MECHANISMS, PASSWORD, USER
from tests.pipelines.sources.reading import read

pytestmark = pytest.mark.live
SCHEMA = pa.schema([("id", pa.int64()), ("offset", pa.int64())])
PATHS = {"offset": "/$offset"}
FEW = timedelta(seconds=6)  # waited for in vain where TLS fails


def said(number):
    return b'{"id": %d}' % number


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    return kafka_wire.certificate(tmp_path_factory.mktemp("tls"))


def rows_of(server, folder, **declared):
    topic = Kafka(kafka_wire.TOPIC, server.servers, paths=PATHS, patience=timedelta(seconds=20), **declared)
    rows, unreadable, _ = read(topic, folder, SCHEMA)
    assert unreadable == []
    return list(rows.values())


def test_only_committed_messages_are_read(tmp_path):
    with kafka_wire.served() as server:
        log = server.log
        log.append(said(1), said(2), producer=7)
        log.append(said(3))
        log.append(said(4), producer=8)
        log.finish(7, COMMIT)
        log.append(said(5), producer=8)
        log.finish(8, ABORT)
        log.append(said(6), producer=7)
        log.finish(7, ABORT)
        log.append(said(7), producer=8)
        log.finish(8, COMMIT)

        assert rows_of(server, tmp_path) == [(1, 0), (2, 1), (3, 2), (7, 9)]


def test_a_stretch_that_ends_with_marks_or_holds_nothing_else_ends(tmp_path):
    with kafka_wire.served() as server:
        server.log.append(said(1), producer=7)
        server.log.finish(7, ABORT)

        assert rows_of(server, tmp_path) == []


def test_an_open_transaction_is_left_to_the_next_date_with_all_that_follows_it(tmp_path):
    with kafka_wire.served() as server:
        server.log.append(said(1))
        server.log.append(said(2), producer=7)
        server.log.append(said(3))
        assert rows_of(server, tmp_path) == [(1, 0)]

        server.log.finish(7, COMMIT)
        assert rows_of(server, tmp_path) == [(1, 0), (2, 1), (3, 2)]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_users_log_in(tmp_path, monkeypatch, pem, mechanism, tls):
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)
    login = Login(USER, Env("KAFKA_PASSWORD"), mechanism=mechanism)
    trusted = {"tls": True, "authorities": str(pem.parent / "public.pem")} if tls else {}

    with kafka_wire.served(login=True, certificate=pem if tls else None) as server:
        server.log.append(said(1))

        assert rows_of(server, tmp_path, login=login, **trusted) == [(1, 0)]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_told_without_showing_it(tmp_path, monkeypatch, mechanism):
    monkeypatch.setenv("KAFKA_PASSWORD", "wrong-4711")
    login = Login(USER, Env("KAFKA_PASSWORD"), mechanism=mechanism)

    with kafka_wire.served(login=True) as server, pytest.raises(SourceError) as refused:
        rows_of(server, tmp_path, login=login)

    assert "the broker does not accept user and password" in str(refused.value)
    assert "4711" not in str(refused.value)
    assert not refused.value.transient


def test_a_certificate_that_nobody_vouches_for(tmp_path, pem):
    with kafka_wire.served(certificate=pem) as server, pytest.raises(SourceError) as refused:
        read(Kafka(kafka_wire.TOPIC, server.servers, tls=True, patience=FEW), tmp_path, SCHEMA)

    assert "no secure connection can be made" in str(refused.value)
    assert not refused.value.transient
