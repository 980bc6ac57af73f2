"""Whatever goes wrong below the Cloud Storage adapter comes out as StorageUnavailable."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.adapters.gcs import GcsBucket, storage_client
from shared.errors import StorageUnavailable
from tests.contract.servers import Answer, Asked, Server, closed_port, hang_up, json_reply, reply
from tests.contract.stack import Stack, storage_client_at

SOON = 0.2
"""Seconds of retries: enough for none."""

OPERATIONS: dict[str, Callable[[GcsBucket], object]] = {
    "create": lambda bucket: bucket.create("a", b"1", owner="me"),
    "replace": lambda bucket: bucket.replace("a", b"1", owner="me", generation=1),
    "delete": lambda bucket: bucket.delete("a", generation=1),
    "stat": lambda bucket: bucket.stat("a"),
    "read": lambda bucket: bucket.read("a"),
    "list": lambda bucket: list(bucket.list("a")),
    "read_each": lambda bucket: bucket.read_each([("a", 1), ("b", 1)]),
    "delete_each": lambda bucket: bucket.delete_each([("a", 1), ("b", 1)]),
    "copy_in": lambda bucket: bucket.copy_in("other", "a", 1, "b"),
}

ANSWERS: dict[str, Answer] = {
    "503": json_reply(503, '{"error": {"code": 503, "message": "try again"}}'),
    "500": json_reply(500, "{}"),
    "429": json_reply(429, "{}"),
    "401": json_reply(401, '{"error": {"code": 401, "message": "who are you"}}'),
    "403": json_reply(403, '{"error": {"code": 403, "message": "no"}}'),
    "400": json_reply(400, "{}"),
    "502 of a proxy": reply(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}),
    "200 of a proxy": reply(200, b"<html>Log in</html>", {"content-type": "text/html"}),
    "200 of nothing": json_reply(200, "{}"),
    "hang-up": hang_up,
    "half a body": reply(200, b'{"name": ', {"content-type": "application/json"}, length=4000),
    "redirect loop": reply(302, b"", {"location": "/again"}),
}
"""Answers for ever, to every operation. An empty object is no answer to a listing alone: there it says that nothing is
there, and to a delete, whose answer has no content."""

_BELIEVED = {
    *(("200 of nothing", operation) for operation in ("list", "delete", "delete_each")),
    # what is downloaded without a look at its description first is believed: it may hold anything
    *((answer, "read_each") for answer in ("200 of nothing", "200 of a proxy")),
}


def bucket_at(url: str) -> GcsBucket:
    return GcsBucket(storage_client_at(url), "bucket", retry_seconds=SOON)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_service_that_never_answers_well(server: Server, answer: str, operation: str) -> None:
    server.answer = ANSWERS[answer]
    if (answer, operation) in _BELIEVED:
        OPERATIONS[operation](bucket_at(server.url))
        return
    with pytest.raises(StorageUnavailable):
        OPERATIONS[operation](bucket_at(server.url))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_service_that_is_down(operation: str) -> None:
    with pytest.raises(StorageUnavailable, match="bucket/a"):
        OPERATIONS[operation](bucket_at(f"http://127.0.0.1:{closed_port()}"))


def _resource(**fields: Any) -> str:
    given = {"name": "a", "generation": "1", "size": "4", "timeCreated": "2026-11-20T07:00:00Z", "crc32c": "AAAAAA=="}
    return json.dumps({**given, **fields})


def _content(answer: Answer) -> Answer:
    """Describe the object as it should be, and answer the download by `answer`."""

    def send(asked: Asked, connection: Any) -> None:
        (answer if "alt=media" in asked.target else json_reply(200, _resource()))(asked, connection)

    return send


@pytest.mark.parametrize(
    "content",
    [
        reply(200, b"rotten", {"x-goog-hash": "crc32c=AAAAAA=="}),
        reply(200, b"half", {"x-goog-hash": "crc32c=AAAAAA=="}, length=4000),
        reply(200, b"no gzip", {"content-encoding": "gzip"}),
        reply(200, b"of no generation", {}),
        reply(503, b""),
        hang_up,
    ],
    ids=["another checksum", "half", "broken encoding", "no generation", "503", "hang-up"],
)
def test_content_that_does_not_arrive_whole(server: Server, content: Answer) -> None:
    server.answer = _content(content)
    with pytest.raises(StorageUnavailable):
        bucket_at(server.url).read("a")


def test_the_client_asks_for_what_it_was_told_and_nothing_else(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in the background: a function's account may use objects, not look at their bucket."""
    server.answer = json_reply(404, '{"error": {"code": 404, "message": "No such object"}}')
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.delenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", raising=False)
    bucket = GcsBucket(storage_client("asking"), "bucket", retry_seconds=SOON)

    assert bucket.read("a") is None
    assert bucket.stat("b") is None

    time.sleep(0.3)  # what it would do in the background takes milliseconds
    paths = [asked.target.partition("?")[0] for asked in server.asked]
    assert paths == ["/download/storage/v1/b/bucket/o/a", "/storage/v1/b/bucket/o/b"]


@pytest.mark.emulated
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "copy_in"])
def test_a_bucket_that_does_not_exist_is_said_to_be_missing(stack: Stack, operation: str) -> None:
    with pytest.raises(StorageUnavailable, match="absent"):
        OPERATIONS[operation](stack.bucket("absent", retry_seconds=SOON))


_UPLOAD = {"method": "POST", "path_contains": "/upload/"}
# The client looks at the bucket itself in the background of its first request; a fault must not be used up by that.


@pytest.fixture
def faulty(stack: Stack) -> Iterator[Stack]:
    yield stack
    stack.storage_faults()


@pytest.mark.emulated
def test_faults_that_pass_within_the_limit_are_not_seen(faulty: Stack) -> None:
    bucket = faulty.bucket(faulty.new_bucket(), retry_seconds=20)
    faulty.storage_faults({"action": "error", "status": 503, **_UPLOAD}, {"action": "drop_response", **_UPLOAD})
    assert bucket.create("a", b"1", owner="me").created
    found = bucket.read("a")
    assert found is not None
    assert found[0] == b"1"


@pytest.mark.emulated
def test_a_lost_answer_that_nobody_repeats_leaves_the_object_for_the_next_delivery(faulty: Stack) -> None:
    bucket = faulty.bucket(faulty.new_bucket(), retry_seconds=SOON)
    faulty.storage_faults({"action": "drop_response", **_UPLOAD}, {"action": "error", "status": 503, "times": None})
    with pytest.raises(StorageUnavailable):
        bucket.create("a", b"1", owner="first")
    faulty.storage_faults()
    again = bucket.create("a", b"2", owner="second")
    assert (again.created, again.object.metadata["owner"]) == (False, "first")


def _refused_what_is_there(owner: str) -> Answer:
    """Storage as an account sees it that may create and read, not delete: 403 for what would replace an object."""
    there = {"name": "a", "generation": "7", "size": "1", "crc32c": "AAAAAA==", "timeCreated": "2026-11-20T07:00:00Z"}

    def answer(asked: Asked, connection: Any) -> None:
        if asked.method == "POST":
            json_reply(403, '{"error": {"code": 403, "message": "no storage.objects.delete access"}}')(
                asked, connection
            )
        else:
            json_reply(200, json.dumps({**there, "metadata": {"owner": owner}}))(asked, connection)

    return answer


@pytest.mark.parametrize(("owner", "created"), [("me", True), ("somebody", False)])
def test_an_account_that_may_only_create_finds_what_is_there(server: Server, owner: str, created: bool) -> None:
    """The answer is that of a refused precondition: the object, and whether it is our own."""
    server.answer = _refused_what_is_there(owner)
    creation = bucket_at(server.url).create("a", b"1", owner="me")
    assert (creation.object.generation, creation.created) == (7, created)


def test_a_copy_that_is_there_already_is_not_made_again_by_an_account_that_may_only_create(server: Server) -> None:
    """As with the precondition's own refusal."""
    server.answer = _refused_what_is_there("somebody")
    bucket_at(server.url).copy_in("other", "a", 1, "b")
    assert [asked.method for asked in server.asked].count("POST") == 1
    assert server.asked[-1].target.partition("?")[0].endswith("/o/b")
