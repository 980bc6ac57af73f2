"""Secrets: the fake, the environment, and Secret Manager's client against its access endpoint."""

import base64
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager

from shared.adapters.memory import MemoryClock, MemorySecrets
from shared.adapters.secrets import EnvironmentSecrets, ManagedSecrets
from shared.errors import ConfigurationError, TransientError
from shared.ports import Secrets
from tests.contract.servers import Answer, Asked, Server, closed_port, hang_up, json_reply, reply

REFERENCE, VALUE = "incident-io-companya", "sk-largest-secret-of-all"


def managed(url: str, clock: MemoryClock | None = None) -> ManagedSecrets:
    client = secretmanager.SecretManagerServiceClient(
        transport="rest", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    )
    return ManagedSecrets("opp-contract", clock or MemoryClock(datetime(2026, 11, 20, tzinfo=UTC)), client)


def secret_manager(values: dict[str, str]) -> Answer:
    """Answers `secrets/<name>/versions/latest:access` as Secret Manager does."""

    def answer(asked: Asked, connection: socket.socket) -> None:
        name = asked.target.partition("?")[0].removeprefix("/v1/").removesuffix("/versions/latest:access")
        reference = name.rpartition("/")[2]
        if reference in values:
            data = base64.b64encode(values[reference].encode()).decode()
            body = {"name": f"projects/1/secrets/{reference}/versions/7", "payload": {"data": data}}
            json_reply(200, json.dumps(body))(asked, connection)
        else:
            _refusal(404, "NOT_FOUND", f"Secret [{name}] not found or has no versions.")(asked, connection)

    return answer


def _refusal(status: int, kind: str, message: str) -> Answer:
    return json_reply(status, json.dumps({"error": {"code": status, "message": message, "status": kind}}))


@dataclass(frozen=True)
class Safe:
    """Secrets that hold one, and the way to change it."""

    secrets: Secrets
    rotate: Callable[[str], None]


@pytest.fixture(params=["memory", "environment", "managed"])
def safe(request: pytest.FixtureRequest) -> Safe:
    if request.param == "memory":
        fake = MemorySecrets({REFERENCE: VALUE})
        return Safe(fake, lambda value: fake.rotate(REFERENCE, value))
    if request.param == "environment":
        variables = {"OPP_SECRET_INCIDENT_IO_COMPANYA": VALUE}
        return Safe(EnvironmentSecrets(variables), lambda v: variables.update({"OPP_SECRET_INCIDENT_IO_COMPANYA": v}))
    server: Server = request.getfixturevalue("server")
    values = {REFERENCE: VALUE}
    server.answer = secret_manager(values)
    return Safe(managed(server.url), lambda value: values.update({REFERENCE: value}))


def test_a_secret_is_fetched_by_reference(safe: Safe) -> None:
    assert safe.secrets.fetch(REFERENCE) == VALUE


def test_a_fresh_fetch_sees_the_rotated_value_and_so_do_later_ones(safe: Safe) -> None:
    safe.secrets.fetch(REFERENCE)
    safe.rotate("new")
    assert safe.secrets.fetch(REFERENCE, fresh=True) == "new"
    assert safe.secrets.fetch(REFERENCE) == "new"


def test_a_secret_that_does_not_exist_is_named(safe: Safe) -> None:
    with pytest.raises(ConfigurationError, match="'absent-one'") as caught:
        safe.secrets.fetch("absent-one")
    assert VALUE not in str(caught.value)


def test_the_environments_variable_is_named_in_the_error() -> None:
    with pytest.raises(ConfigurationError, match="OPP_SECRET_ABSENT_ONE"):
        EnvironmentSecrets({}).fetch("absent-one")


def test_a_warm_instance_asks_once_in_some_minutes(server: Server) -> None:
    server.answer = secret_manager({REFERENCE: VALUE})
    clock = MemoryClock(datetime(2026, 11, 20, tzinfo=UTC))
    secrets = managed(server.url, clock)
    for _ in range(3):
        secrets.fetch(REFERENCE)
    assert len(server.asked) == 1
    clock.sleep(301)
    secrets.fetch(REFERENCE)
    assert len(server.asked) == 2
    assert server.asked[0].target.startswith("/v1/projects/opp-contract/secrets/incident-io-companya/versions/latest:")


def test_a_line_end_around_the_value_is_no_part_of_it(server: Server) -> None:
    server.answer = secret_manager({REFERENCE: f" {VALUE}\n"})
    assert managed(server.url).fetch(REFERENCE) == VALUE


@pytest.mark.parametrize(
    "answer",
    [
        _refusal(404, "NOT_FOUND", "Secret not found"),
        _refusal(403, "PERMISSION_DENIED", "Permission 'secretmanager.versions.access' denied"),
        _refusal(400, "FAILED_PRECONDITION", "Secret Version [7] is in DESTROYED state."),
        _refusal(400, "INVALID_ARGUMENT", "The provided Secret ID does not match the expected format."),
        json_reply(200, json.dumps({"payload": {"data": base64.b64encode(b"\xff\xfe").decode()}})),
        json_reply(200, "{}"),
    ],
    ids=["absent", "denied", "destroyed", "no such name", "no text", "empty"],
)
def test_what_only_a_person_can_put_right(server: Server, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(ConfigurationError, match=REFERENCE):
        managed(server.url).fetch(REFERENCE)


@pytest.mark.parametrize(
    "answer",
    [
        _refusal(401, "UNAUTHENTICATED", "Request had invalid credentials."),
        _refusal(500, "INTERNAL", "Internal error."),
        reply(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}),
        reply(200, b"<html>Log in</html>", {"content-type": "text/html"}),
        reply(200, b'{"payload": ', length=100),
        reply(200, b"no gzip", {"content-encoding": "gzip"}),
        reply(302, b"", {"location": "/again"}),
        hang_up,
    ],
    ids=["401", "500", "502", "200 of a proxy", "half a body", "broken encoding", "redirect loop", "hang-up"],
)
def test_what_may_pass(server: Server, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(TransientError, match=REFERENCE):
        managed(server.url).fetch(REFERENCE)


def test_a_service_that_is_down() -> None:
    with pytest.raises(TransientError, match=REFERENCE):
        managed(f"http://127.0.0.1:{closed_port()}").fetch(REFERENCE)


def test_a_fault_leaves_the_cached_value_in_use(server: Server) -> None:
    values: dict[str, Any] = {REFERENCE: VALUE}
    server.answer = secret_manager(values)
    secrets = managed(server.url)
    secrets.fetch(REFERENCE)
    server.answer = hang_up
    assert secrets.fetch(REFERENCE) == VALUE
    with pytest.raises(TransientError):
        secrets.fetch(REFERENCE, fresh=True)
