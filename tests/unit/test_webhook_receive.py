"""One request: what is kept, what the sender is told, and what is never written, logged or fetched."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared import logs
from shared.adapters.memory import MemoryClock, MemoryCloud, MemorySecrets
from shared.errors import ConfigurationError, StorageUnavailable, TransientError
from shared.ports import Creation, Secrets
from shared.spool import SpooledEvent
from shared.webhooks.bounded import Bounded, BoundedSecrets, BoundedSpool
from shared.webhooks.keyring import KEPT, PAUSE, Keyring
from shared.webhooks.receive import Answer, SpoolWriter, WebhookPorts, receive, workspace_of
from tests.support.webhooks import EVENT_TYPES, ROTATED, SECRET, Sender, event

START = datetime(2026, 11, 20, 7, tzinfo=UTC)
BODY = event("public_incident.incident_updated_v2", name="a customer's very own words")
REFERENCES = {"companya": "companya-webhook", "companyb": "companyb-webhook"}


@dataclass
class Safe:
    """Secrets that can fail, and count how often they are asked."""

    values: dict[str, str]
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def fetch(self, reference: str, *, fresh: bool = False) -> str:
        self.asked.append(reference)
        if self.error is not None:
            raise self.error
        return MemorySecrets(self.values).fetch(reference, fresh=fresh)


class Function:
    """The use case over fakes; every log line is searched for what may not be in it."""

    def __init__(self) -> None:
        self.clock = MemoryClock(START)
        self.cloud = MemoryCloud(clock=self.clock)
        self.safe = Safe({"companya-webhook": SECRET, "companyb-webhook": ROTATED})
        self.log = io.StringIO()
        self.keyring = Keyring(self.safe, REFERENCES)
        self.spool: SpoolWriter = self.cloud.bucket("spool")
        self._runs = iter(range(10**6))

    def send(
        self,
        body: bytes = BODY,
        headers: dict[str, str] | None = None,
        *,
        workspace: str = "companya",
        webhook_id: str = "msg_1",
    ) -> Answer:
        given = Sender().headers(webhook_id, self.clock.now(), body) if headers is None else headers
        ports = WebhookPorts(self.keyring, self.spool, self.clock)
        return receive(ports, workspace, given, body, run_id=f"run-{next(self._runs)}")

    @property
    def kept(self) -> dict[str, bytes]:
        """Bodies by name."""
        return {name: body for name, (body, _) in self.cloud.buckets["spool"].items()}

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def events(self) -> list[object]:
        return [line["event"] for line in self.lines()]


@pytest.fixture
def function() -> Iterator[Function]:
    function = Function()
    with logs.captured(function.log):
        yield function
    text = function.log.getvalue()
    for shown in (SECRET, ROTATED, SECRET.removeprefix("whsec_"), "the-first-key", "very own words", "v1,"):
        assert shown not in text


def test_a_signed_event_is_kept_as_it_came(function: Function) -> None:
    assert function.send() is Answer.KEPT
    kept = SpooledEvent("companya", "msg_1", "public_incident.incident_updated_v2", START)
    assert function.kept == {kept.object_name: BODY}
    stored = function.cloud.buckets["spool"][kept.object_name][1]
    assert SpooledEvent.from_mapping(stored.name, stored.metadata) == kept
    (line,) = function.lines()
    assert (line["event"], line["webhook_id"], line["bytes"]) == ("webhook.spooled", "msg_1", len(BODY))


def test_a_repeated_event_is_a_success_without_effect(function: Function) -> None:
    """Minutes later, with a new timestamp and signature; in another workspace it is another event."""
    function.send()
    before = dict(function.cloud.buckets["spool"])
    function.clock.sleep(290)
    assert function.send() is Answer.KEPT
    assert function.cloud.buckets["spool"] == before
    assert (
        function.send(headers=Sender(ROTATED).headers("msg_1", function.clock.now(), BODY), workspace="companyb")
        is Answer.KEPT
    )
    assert len(function.kept) == 2
    assert function.events() == ["webhook.spooled", "webhook.repeated", "webhook.spooled"]


def test_an_id_with_another_body_is_told_and_the_first_one_stays(function: Function) -> None:
    function.send()
    assert function.send(event("schedule.created_v1")) is Answer.KEPT
    assert list(function.kept.values()) == [BODY]
    assert function.events()[-1] == "webhook.id_reused"


def test_every_documented_type_is_kept_and_so_is_what_nobody_documented(function: Function) -> None:
    bodies = [
        *map(event, EVENT_TYPES),
        event("public_incident.invented_v9"),
        b"",
        b"no json",
        b"[" * 100_000,
        b'{"event_type": "a", "event_type": "b"}',
    ]
    for number, body in enumerate(bodies):
        assert function.send(body, webhook_id=f"msg_{number}") is Answer.KEPT
    assert sorted(function.kept.values()) == sorted(bodies)


def test_nothing_is_written_for_what_is_refused(function: Function) -> None:
    genuine = Sender().headers("msg_1", START, BODY)
    old = Sender().headers("msg_1", START - timedelta(minutes=6), BODY)
    other = Sender(ROTATED).headers("msg_1", START, BODY)
    for headers in ({}, old, other, {**genuine, "webhook-id": "msg_2"}):
        assert function.send(headers=headers) is Answer.REFUSED
    assert function.send(headers=genuine, workspace="companyb") is Answer.REFUSED
    assert function.kept == {}
    assert set(function.events()) == {"webhook.refused"}


def test_a_replay_after_five_minutes_is_refused(function: Function) -> None:
    headers = Sender().headers("msg_1", START, BODY)
    assert function.send(headers=headers) is Answer.KEPT
    function.clock.sleep(301)
    assert function.send(headers=headers) is Answer.REFUSED


@pytest.mark.parametrize(
    "error", [ConfigurationError(["secret 'companya-webhook' has no version"]), TransientError("Secret Manager failed")]
)
def test_without_a_readable_secret_nothing_is_accepted(function: Function, error: Exception) -> None:
    function.safe.error = error
    assert function.send() is Answer.LATER
    assert function.kept == {}
    function.safe.error = None
    assert function.send() is Answer.LATER
    function.clock.sleep(PAUSE.seconds)
    assert function.send() is Answer.KEPT


@pytest.mark.parametrize("value", ["", "whsec_", "not a secret that we know", SECRET.removeprefix("whsec_")])
def test_a_secret_without_a_key_accepts_nothing(function: Function, value: str) -> None:
    """Least of all what is signed with an empty key."""
    function.safe.values["companya-webhook"] = value
    for secret in (SECRET, "whsec_"):
        assert function.send(headers=Sender(secret).headers("msg_1", START, BODY)) is Answer.LATER
    assert function.kept == {}


def test_a_word_of_the_secret_that_is_no_key_is_told_and_passed_over(function: Function) -> None:
    function.safe.values["companya-webhook"] = f"oops {SECRET}"
    assert function.send() is Answer.KEPT
    assert function.lines()[0] | {"time": ""} == function.lines()[0] | {
        "time": "", "severity": "WARNING", "event": "webhook.secret_malformed", "words_ignored": 1
    }  # fmt: skip


def test_storage_that_fails_makes_the_sender_try_again(function: Function) -> None:
    """Before the write nothing is there; after it, the retry finds it."""
    faults = function.cloud.faults
    faults.before.append(("create", "companya", StorageUnavailable("storage failed on spool/companya/…")))
    assert function.send() is Answer.LATER
    assert function.kept == {}
    faults.after.append(("create", "companya", StorageUnavailable("the answer was lost")))
    assert function.send() is Answer.LATER
    assert len(function.kept) == 1
    assert function.send() is Answer.KEPT
    assert len(function.kept) == 1
    assert function.events() == ["webhook.deferred", "webhook.deferred", "webhook.repeated"]


def test_sixteen_at_once_make_one_object(function: Function) -> None:
    barrier = threading.Barrier(16)

    def meet(moment: str, effect: str, _: str) -> None:
        if (moment, effect) == ("before", "create"):
            barrier.wait(10)

    function.cloud.faults.hook = meet
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: function.send(), range(16)))
    assert set(answers) == {Answer.KEPT}
    assert len(function.kept) == 1
    assert sorted(map(str, function.events())) == ["webhook.repeated"] * 15 + ["webhook.spooled"]


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Lets what hangs go at the test's end."""
    event = threading.Event()
    yield event
    event.set()


def hanging(function: Function, released: threading.Event, where: str) -> None:
    """Make storage or secrets wait until the end of the test."""

    class Hanging:
        def create(self, *_: object, **__: object) -> Creation:
            released.wait(60)
            raise StorageUnavailable("at last")

        def fetch(self, *_: object, **__: object) -> str:
            released.wait(60)
            raise TransientError("at last")

    bounded = Bounded(20)
    if where == "storage":
        function.spool = BoundedSpool(bounded, Hanging(), 0.2)
    else:
        function.keyring = Keyring(BoundedSecrets(bounded, Hanging(), 0.2), REFERENCES)


@pytest.mark.parametrize("where", ["storage", "secrets"])
def test_what_hangs_is_not_waited_for_beyond_the_deadline(
    function: Function, released: threading.Event, where: str
) -> None:
    """Several at once; other work goes on meanwhile."""
    spool, keyring = function.spool, function.keyring
    hanging(function, released, where)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda n: function.send(webhook_id=f"msg_{n}"), range(8))) == {Answer.LATER}
    assert not released.is_set()
    assert set(function.events()) == {"webhook.deferred"}
    function.spool, function.keyring = spool, keyring
    assert function.send() is Answer.KEPT


def test_when_every_thread_hangs_new_work_is_not_begun_but_answered() -> None:
    """The pool is bounded; so is the wait."""
    bounded, release = Bounded(2), threading.Event()
    begun: list[int] = []

    def hang(number: int) -> None:
        begun.append(number)
        release.wait(60)

    for number in range(5):
        with pytest.raises(TransientError, match="within"):
            bounded.run(lambda n=number: hang(n), 0.05)  # type: ignore[misc]  # bound now, not when it runs
    release.set()
    assert bounded.run(lambda: "works", 5) == "works"
    assert begun == [0, 1]


def test_what_the_work_raises_is_its_own() -> None:
    def fail() -> None:
        raise TimeoutError("the work's")

    with pytest.raises(TimeoutError, match="the work's"):
        Bounded(1).run(fail, 5)


def test_a_rotated_secret_is_fetched_again_once(function: Function) -> None:
    """The first event that is signed with the new key finds it."""
    assert function.send() is Answer.KEPT
    function.clock.sleep(PAUSE.seconds)
    function.safe.values["companya-webhook"] = ROTATED
    for number in range(3):
        headers = Sender(ROTATED).headers(f"msg_new_{number}", function.clock.now(), BODY)
        assert function.send(headers=headers) is Answer.KEPT
    assert len(function.safe.asked) == 2
    assert function.send(webhook_id="msg_old") is Answer.REFUSED


def test_forged_requests_are_no_storm_on_secret_manager(function: Function) -> None:
    """Ten thousand in a minute: a fetch each PAUSE, and none of them is accepted."""
    for number in range(10_000):
        function.clock.sleep(0.006)
        headers = Sender(ROTATED).headers(f"msg_{number}", function.clock.now(), b"{}")
        assert function.send(b"{}", headers) is Answer.REFUSED
    assert 1 < len(function.safe.asked) <= 60 / PAUSE.seconds + 1
    assert function.kept == {}


@pytest.mark.parametrize("error", [ConfigurationError(["no version"]), TransientError("down")])
def test_nor_are_requests_while_the_secret_cannot_be_read(function: Function, error: Exception) -> None:
    function.safe.error = error
    for _ in range(1000):
        function.clock.sleep(0.06)
        assert function.send() is Answer.LATER
    assert 1 < len(function.safe.asked) <= 60 / PAUSE.seconds + 1


def test_a_secret_manager_that_is_down_leaves_known_keys_in_use_for_their_time(function: Function) -> None:
    assert function.send() is Answer.KEPT
    function.safe.error = TransientError("down")
    function.clock.sleep(60)
    forged = Sender(ROTATED).headers("msg_2", function.clock.now(), BODY)
    assert function.send(headers=forged) is Answer.LATER
    assert function.send(webhook_id="msg_3") is Answer.KEPT
    function.clock.sleep(KEPT.seconds)
    assert function.send(webhook_id="msg_4") is Answer.LATER


def test_a_withdrawn_key_ends_within_its_time(function: Function) -> None:
    function.send()
    function.safe.values["companya-webhook"] = ROTATED
    function.clock.sleep(KEPT.seconds)
    assert function.send(webhook_id="msg_2") is Answer.REFUSED


def test_threads_that_need_the_same_secret_fetch_it_once(function: Function) -> None:
    entered, go = threading.Event(), threading.Event()
    fetch: Callable[..., str] = function.safe.fetch

    class Slow:
        def fetch(self, reference: str, *, fresh: bool = False) -> str:
            entered.set()
            go.wait(10)
            return fetch(reference, fresh=fresh)

    slow: Secrets = Slow()
    function.keyring = Keyring(slow, REFERENCES)
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(function.send, webhook_id=f"msg_{n}") for n in range(8)]
        assert entered.wait(10)
        go.set()
        assert {answer.result() for answer in answers} == {Answer.KEPT}
    assert function.safe.asked == ["companya-webhook"]


@pytest.mark.parametrize(
    ("path", "target", "workspace"),
    [
        ("/incident-io/companya", "/incident-io/companya", "companya"),
        ("/incident-io/companya", "", "companya"),
        ("/incident-io/companya", "/incident-io/companya?retry=1", "companya"),
        ("/incident-io/companya", "http://host/incident-io/companya", "companya"),
        ("/incident-io/companya/", "", None),
        ("//incident-io/companya", "", None),
        ("/incident-io//companya", "", None),
        ("/incident-io/../incident-io/companya", "", None),
        ("/incident-io/companya", "/incident-io%2Fcompanya", None),
        ("/incident-io/companya", "/incident-io/%63ompanya", None),
        ("/incident-io/companya", "//incident-io/companya", None),
        ("/incident-io/companya", "http://[bad/incident-io/companya", None),
        ("/incident-io/compan\u0443a", "", None),
        ("/incident-io/\u212aompany", "", None),
        ("/incident-io/", "", None),
        ("/incident-io", "", None),
        ("/Incident-io/companya", "", None),
        ("/incident-io/companya\n", "", None),
        ("/incident-io/companya;x", "", None),
        ("/", "", None),
        ("", "", None),
    ],
)
def test_a_workspace_is_named_in_one_way(path: str, target: str, workspace: str | None) -> None:
    assert workspace_of(path, target) == workspace
