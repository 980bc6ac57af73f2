"""Google's REST interfaces over loopback: what each answer means, and the doctor's whole command against them."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from shared.adapters.google_rest import GoogleRest
from shared.errors import PermanentError, TransientError
from shared.registry import registry
from tests.contract.servers import Answer, Asked, Server, closed_port, hang_up, json_reply, reply
from tests.contract.stack import ROOT
from tests.support.google_project import ENVIRONMENT, GoogleProject

SERVICES = (
    "serviceusage", "cloudresourcemanager", "storage", "cloudfunctions", "pubsub", "monitoring", "secretmanager",
)  # fmt: skip


def _rest(server: Server) -> GoogleRest:
    return GoogleRest({"storage": server.url})


def test_a_resource_and_its_query(server: Server) -> None:
    server.answer = json_reply(200, '{"location": "EUROPE-WEST1"}')
    assert _rest(server).get("storage", "storage/v1/b/x", {"filter": "a=b c"}) == {"location": "EUROPE-WEST1"}
    assert server.asked[0].target == "/storage/v1/b/x?filter=a%3Db+c"
    assert "authorization" not in server.asked[0].headers


def test_what_is_not_there_is_none(server: Server) -> None:
    server.answer = json_reply(404, "{}")
    assert _rest(server).get("storage", "x") is None


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (json_reply(403, '{"error": {"message": "denied on x"}}'), PermanentError, "HTTP 403.*denied on x"),
        (json_reply(401, "[]"), PermanentError, "HTTP 401"),
        (json_reply(429, '{"error": 7}'), TransientError, "HTTP 429"),
        (reply(503, b"<html>"), TransientError, "HTTP 503.*<html>"),
        (reply(200, b"<html>"), TransientError, "did not answer"),
        (json_reply(200, "[1]"), TransientError, "no resource"),
        (hang_up, TransientError, "did not answer"),
    ],
)
def test_every_other_answer_is_an_error_of_a_kind(
    server: Server, answer: Answer, error: type[Exception], told: str
) -> None:
    server.answer = answer
    with pytest.raises(error, match=told):
        _rest(server).get("storage", "x")


def test_a_service_that_is_down() -> None:
    with pytest.raises(TransientError, match="did not answer"):
        GoogleRest({"storage": f"http://127.0.0.1:{closed_port()}"}).get("storage", "x")


def _doctor(server: Server, google: GoogleProject) -> tuple[int, list[dict[str, Any]]]:
    def answer(asked: Asked, connection: socket.socket) -> None:
        json_reply(*google.answer(asked.target))(asked, connection)

    server.answer = answer
    endpoints = [text for service in SERVICES for text in ("--endpoint", f"{service}={server.url}/{service}")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPP_")}
    done = subprocess.run(
        [sys.executable, "-m", "shared.operate", "doctor", "--json", *endpoints],
        cwd=ROOT,
        env={**environment, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_the_doctor_examines_a_project_over_http(server: Server) -> None:
    """The shipped registry's project: healthy, then without its state's versions."""
    google = GoogleProject(registry())
    code, checks = _doctor(server, google)
    # the warehouse was not named, which is said and is no fault of the project
    assert [(check["name"], check["verdict"]) for check in checks if check["verdict"] != "ok"] == [
        ("Snowflake", "warning")
    ]
    assert code == 0
    google.bucket("state")["versioning"] = {"enabled": False}
    code, checks = _doctor(server, google)
    assert (code, [check["name"] for check in checks if check["verdict"] == "wrong"]) == (
        1,
        ["bucket opp-doctor-state"],
    )
