"""The webhook function as it is served: real requests, real storage client, and what is in the spool afterwards."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import pytest

from local.stack import local_secrets
from local.supervisor import Supervisor, SupervisorThread, free_ports
from shared.spool import SpooledEvent, spooled_name
from shared.webhooks.body import MOST_BYTES
from shared.webhooks.workspaces import read_webhook_secrets
from tests.contract.servers import Asked, Server, closed_port, serving
from tests.contract.stack import eventually
from tests.functions.webhook_process import (
    PATH,
    WebhookProcess,
    new_id,
    running_webhook,
    sender,
    webhook_command,
)
from tests.support.webhooks import EVENT_TYPES, ROTATED, Sender, event

pytestmark = pytest.mark.emulated

BODY = event("public_incident.incident_updated_v2", name="a customer's very own words")
SENDERS_PATIENCE = 15
"""Seconds. Where a request has this timeout, running out of it is the failure that is tested for."""

_UPLOAD = {"method": "POST", "path_contains": "/upload/"}


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookProcess]:
    with running_webhook(tmp_path_factory.mktemp("webhook")) as running:
        yield running
        log = running.log
    for secret in local_secrets().values():
        assert secret not in log
        assert secret.removeprefix("whsec_") not in log
    for shown in ("very own words", "v1,", "Traceback"):
        assert shown not in log


@pytest.fixture
def webhook(_running: WebhookProcess) -> Iterator[WebhookProcess]:
    yield _running
    _running.faults()


def test_a_signed_event_is_in_the_spool_when_it_is_answered(webhook: WebhookProcess) -> None:
    webhook_id = new_id()
    assert webhook.send(BODY, webhook_id).status == 204
    name = spooled_name("companya", webhook_id)
    stored = webhook.objects()[name]
    assert webhook.content(name) == BODY
    found = SpooledEvent.from_mapping(name, stored["metadata"])
    assert (found.webhook_id, found.event_type) == (webhook_id, "public_incident.incident_updated_v2")
    line = json.loads(webhook.log.splitlines()[-1])
    assert (line["event"], line["webhook_id"], line["workspace"]) == ("webhook.spooled", webhook_id, "companya")


def test_every_workspace_has_its_own_secret(webhook: WebhookProcess) -> None:
    for workspace in read_webhook_secrets():
        assert webhook.send(BODY, workspace=workspace).status == 204
        for other in set(read_webhook_secrets()) - {workspace}:
            headers = sender(workspace).headers(new_id(), datetime.now(UTC), BODY)
            assert webhook.request(BODY, headers, target=f"/incident-io/{other}").status == 401


def test_the_older_header_names(webhook: WebhookProcess) -> None:
    webhook_id = new_id()
    headers = sender().headers(webhook_id, datetime.now(UTC), BODY, prefix="Svix-")
    assert webhook.request(BODY, headers).status == 204
    assert spooled_name("companya", webhook_id) in webhook.objects()


def test_a_body_may_come_in_chunks(webhook: WebhookProcess) -> None:
    webhook_id = new_id()
    headers = sender().headers(webhook_id, datetime.now(UTC), BODY)
    assert webhook.request(iter([BODY[:10], BODY[10:]]), headers).status == 204
    assert webhook.content(spooled_name("companya", webhook_id)) == BODY


@pytest.mark.parametrize(
    "body",
    [
        event("public_incident.invented_v9"),
        *map(event, EVENT_TYPES[-2:]),
        b"",
        b"no json",
        b"[" * 500_000,
        b'{"event_type": "a", "event_type": "b"}',
        b"x" * MOST_BYTES,
    ],
    ids=range(8),
)
def test_whatever_is_signed_is_kept(webhook: WebhookProcess, body: bytes) -> None:
    webhook_id = new_id()
    assert webhook.send(body, webhook_id).status == 204
    assert webhook.content(spooled_name("companya", webhook_id)) == body


def test_a_body_that_is_no_text_is_refused(webhook: WebhookProcess) -> None:
    before = webhook.objects()
    assert webhook.send(b"\xff\xfe\x00", new_id()).status == 401
    assert webhook.objects() == before


@pytest.mark.parametrize("secret", [ROTATED, "whsec_"])
def test_what_another_key_signed_is_refused(webhook: WebhookProcess, secret: str) -> None:
    before = webhook.objects()
    reply = webhook.request(BODY, Sender(secret).headers(new_id(), datetime.now(UTC), BODY))
    assert reply.status == 401
    assert b"whsec" not in reply.body
    assert webhook.objects() == before


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_future_timestamp_is_refused(webhook: WebhookProcess, minutes: int) -> None:
    headers = sender().headers(new_id(), datetime.now(UTC) + timedelta(minutes=minutes), BODY)
    before = webhook.objects()
    assert webhook.request(BODY, headers).status == 401
    assert webhook.objects() == before


def test_headers_that_are_missing_or_huge_are_refused(webhook: WebhookProcess) -> None:
    before = webhook.objects()
    headers = sender().headers(new_id(), datetime.now(UTC), BODY)
    assert webhook.request(BODY).status == 401
    for name in headers:
        assert webhook.request(BODY, {k: v for k, v in headers.items() if k != name}).status == 401
        assert webhook.request(BODY, {**headers, name: headers[name] + "A" * 5000}).status == 401
        assert webhook.request(BODY, {**headers, name: headers[name] + "A" * 70_000}).status in (400, 431)
    assert webhook.objects() == before


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/incident-io",
        "/incident-io/",
        "/incident-io/companyz",
        "/incident-io/CompanyA",
        "/incident-io/companya/",
        "//incident-io/companya",
        "/incident-io//companya",
        "/incident-io/./companya",
        "/x/../incident-io/companya",
        "/incident-io%2Fcompanya",
        "/incident-io/%63ompanya",
        "/incident-io/companya%00",
        "/incident-io/companya%0a",
        "/incident-io/compan%D1%83a",
        "/incident-io/companya;x=1",
        "/static/companya",
        "/robots.txt",
    ],
)
def test_only_one_path_leads_to_a_workspace(webhook: WebhookProcess, target: str) -> None:
    before = webhook.objects()
    headers = sender().headers(new_id(), datetime.now(UTC), BODY)
    assert webhook.request(BODY, headers, target=target).status == 404
    assert webhook.objects() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "INVENTED"])
def test_only_post_is_taken(webhook: WebhookProcess, method: str) -> None:
    before = webhook.objects()
    headers = sender().headers(new_id(), datetime.now(UTC), BODY)
    reply = webhook.request(BODY, headers, method=method)
    assert (reply.status, reply.headers.get("allow")) == (405, "POST")
    assert webhook.objects() == before


def test_a_body_over_the_limit_is_refused_unread(webhook: WebhookProcess) -> None:
    """By its stated length before a byte of it has come; in chunks at the limit; compressed as it is on the wire."""
    before = webhook.objects()
    large = b"x" * (MOST_BYTES + 1)
    signed = sender().headers(new_id(), datetime.now(UTC), large)
    assert webhook.request(large, signed).status == 413
    assert webhook.request(b"", {**signed, "Content-Length": str(10**12)}).status == 413
    assert webhook.request((b"x" * 65536 for _ in range(64)), signed).status == 413
    assert webhook.request(large, {**signed, "Content-Encoding": "gzip"}).status == 413
    assert webhook.objects() == before


def test_no_request_makes_the_function_hold_more_than_the_limit(webhook: WebhookProcess) -> None:
    """Whoever answers it: this function or the framework around it. A bomb is bytes; nothing inflates it."""
    assert webhook.send(b"x" * MOST_BYTES).status == 204
    before = webhook.peak_rss_mib
    bomb = gzip.compress(b"\0" * 200_000_000)
    assert len(bomb) < MOST_BYTES
    zipped = sender().headers(new_id(), datetime.now(UTC), bomb)
    assert webhook.request(bomb, {**zipped, "Content-Encoding": "gzip"}).status == 401
    for target in (PATH, "/unknown", "//double", "/robots.txt", "/favicon.ico"):
        for method in ("POST", "PUT"):
            # gone or answered: what matters is what is held
            try:
                webhook.request((b"x" * 1_000_000 for _ in range(60)), method=method, target=target)
            except (OSError, HTTPException):
                continue
    assert webhook.send(BODY).status == 204
    assert webhook.peak_rss_mib - before < 16


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 10\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nbad\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nha",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
    ],
    ids=range(5),
)
def test_a_body_that_does_not_arrive_whole(webhook: WebhookProcess, rest: bytes) -> None:
    before = webhook.objects()
    answer = webhook.raw(b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\n" + rest)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert webhook.objects() == before
    assert webhook.send(BODY).status == 204


def test_the_same_event_sixteen_times_at_once_is_one_object(webhook: WebhookProcess) -> None:
    webhook_id = new_id()
    before = webhook.objects()
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda _: webhook.send(BODY, webhook_id).status, range(16)))
    assert replies == [204] * 16
    assert set(webhook.objects()) - set(before) == {spooled_name("companya", webhook_id)}


@pytest.mark.parametrize("status", [503, 500, 429, 403])
def test_storage_that_is_down_makes_the_sender_try_again(webhook: WebhookProcess, status: int) -> None:
    webhook_id = new_id()
    webhook.faults({"action": "error", "status": status, "times": None, **_UPLOAD})
    headers = sender().headers(webhook_id, datetime.now(UTC), BODY)
    assert webhook.request(BODY, headers, timeout=SENDERS_PATIENCE).status == 503
    assert spooled_name("companya", webhook_id) not in webhook.objects()
    webhook.faults()
    assert webhook.send(BODY, webhook_id).status == 204
    assert spooled_name("companya", webhook_id) in webhook.objects()


def test_slow_storage_is_not_waited_for_longer_than_the_sender_waits(webhook: WebhookProcess) -> None:
    """Eight at once: the answer is in time, and the retry makes one object of each, whatever was written late."""
    webhook.faults({"action": "delay", "seconds": 25, "times": 8, **_UPLOAD})
    ids = [new_id() for _ in range(8)]

    def patient(webhook_id: str) -> int:
        headers = sender().headers(webhook_id, datetime.now(UTC), BODY)
        return webhook.request(BODY, headers, timeout=SENDERS_PATIENCE).status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(patient, ids)) <= {204, 503}
    webhook.faults()
    before = set(webhook.objects())
    assert [webhook.send(BODY, webhook_id).status for webhook_id in ids] == [204] * 8
    assert set(webhook.objects()) == before | {spooled_name("companya", webhook_id) for webhook_id in ids}


def test_an_answer_of_storage_that_is_lost_is_no_second_object(webhook: WebhookProcess) -> None:
    webhook_id = new_id()
    webhook.faults({"action": "drop_response", **_UPLOAD})
    assert webhook.send(BODY, webhook_id).status == 204
    generation = webhook.objects()[spooled_name("companya", webhook_id)]["generation"]
    assert webhook.send(BODY, webhook_id).status == 204
    assert webhook.objects()[spooled_name("companya", webhook_id)]["generation"] == generation


def test_killed_between_the_write_and_the_answer(tmp_path: Path) -> None:
    """The sender hears nothing and tries again: a success, and the first object stays."""
    with running_webhook(tmp_path) as webhook:
        webhook_id, name = new_id(), ""
        # the write is done, its answer lost; the client's own retry hangs, and with it ours
        webhook.faults({"action": "drop_response", **_UPLOAD}, {"action": "delay", "seconds": 30, **_UPLOAD})
        with ThreadPoolExecutor(1) as thread:
            unanswered = thread.submit(webhook.send, BODY, webhook_id)
            name = spooled_name("companya", webhook_id)
            generation = eventually(webhook.objects)[name]["generation"]
            webhook.thread.kill("webhook")
            with pytest.raises((OSError, HTTPException)):
                unanswered.result(20)
        webhook.faults()
        webhook.thread.start("webhook")
        assert webhook.send(BODY, webhook_id).status == 204
        assert {key: item["generation"] for key, item in webhook.objects().items()} == {name: generation}


@pytest.fixture
def hanging() -> Iterator[Server]:
    """Takes requests and sends a byte now and then: no limit of a single read ever ends it."""
    over = threading.Event()

    def trickle(_: Asked, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.5):
            connection.sendall(b" ")

    with serving() as server:
        server.answer = trickle
        yield server
        over.set()


@pytest.mark.parametrize("what", ["storage", "credentials", "no credentials"])
def test_a_bound_that_holds_for_what_trickles(hanging: Server, tmp_path: Path, what: str) -> None:
    """The sender is answered in its time although storage never ends its answer, or nobody gives us credentials."""
    (port,) = free_ports(0)
    metadata = f"127.0.0.1:{closed_port() if what == 'no credentials' else hanging.port}"
    environment = {"GCE_METADATA_HOST": metadata, "GCE_METADATA_IP": metadata, "HOME": str(tmp_path)}
    storage = hanging.url
    if what != "storage":
        environment |= {"OPP_SECRETS": "secret-manager", "GOOGLE_APPLICATION_CREDENTIALS": ""}
    command = webhook_command(port, storage, **environment)
    with SupervisorThread(Supervisor([command], tmp_path / "logs")) as thread:
        webhook = WebhookProcess(thread, port, storage)
        headers = sender().headers(new_id(), datetime.now(UTC), BODY)
        assert webhook.request(BODY, headers, timeout=SENDERS_PATIENCE).status == 503
        assert "webhook.deferred" in webhook.log
        assert "Traceback" not in webhook.log
        thread.kill("webhook")  # politely, it would wait for what hangs


def test_settings_that_are_missing_are_named_and_the_sender_tries_again(tmp_path: Path) -> None:
    (port,) = free_ports(0)
    command = webhook_command(port, "http://127.0.0.1:1", OPP_SPOOL_BUCKET="", OPP_SPOOL_BUCKETS="x")
    with SupervisorThread(Supervisor([command], tmp_path)) as thread:
        webhook = WebhookProcess(thread, port, "")
        assert webhook.send(BODY).status == 503
        assert "OPP_SPOOL_BUCKET is missing" in webhook.log


def test_forgeries_by_eight_strangers_open_nothing(webhook: WebhookProcess) -> None:
    """Meanwhile genuine events are kept."""
    before = webhook.objects()
    stranger = Sender(ROTATED)

    def forge(number: int) -> int:
        return webhook.request(BODY, stranger.headers(f"msg_{number}", datetime.now(UTC), BODY)).status

    with ThreadPoolExecutor(8) as threads:
        forged = [threads.submit(forge, number) for number in range(400)]
        ids = [new_id() for _ in range(10)]
        assert [webhook.send(BODY, webhook_id).status for webhook_id in ids] == [204] * 10
        assert {each.result() for each in forged} == {401}
    assert set(webhook.objects()) - set(before) == {spooled_name("companya", webhook_id) for webhook_id in ids}
