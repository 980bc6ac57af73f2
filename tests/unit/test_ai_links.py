"""Links that a tool hands out (Copilot's files): followed without the key, never shown whole, never fatal."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from shared import logs
from shared.adapters.memory import MemoryClock, MemoryHttp, MemorySecrets
from shared.errors import RequestRefused, SourceUnavailable
from shared.extract.credentials import Credentials
from shared.extract.pages import PageRequest
from shared.extract.rate import RateLimit
from shared.extract.sender import Sender
from shared.ports import HttpResponse
from tests.support.ai_pages import source
from tests.support.incident_io import response, unavailable

NOW = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)
LINK = PageRequest("https://reports.example.test/users-1.ndjson?se=1790000600&sig=s3cr3t")


class _Sending:
    def __init__(self, *answers: HttpResponse | BaseException) -> None:
        self.answers = list(answers)
        self.clock = MemoryClock(NOW)
        self.http = MemoryHttp(lambda _: self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        self.secrets = MemorySecrets({"copilot": "k3y"})
        self.log = io.StringIO()
        block = source("copilot")
        self.sender = Sender(
            block,
            "https://api.github.com",
            self.http,
            Credentials(block, self.http, self.secrets, self.clock, None),
            self.clock,
            RateLimit(6000, self.clock),
            NOW + timedelta(seconds=420),
            lambda: None,
            dict(block.headers),
        )

    def send(self, request: PageRequest = LINK) -> bytes:
        """The answer's body."""
        with logs.captured(self.log):
            return self.sender.send(request, lambda answer: answer.body)


def test_a_link_is_followed_without_the_key() -> None:
    """It goes to another host; what authorises it stands in it."""
    sending = _Sending(response(200, b"lines"))
    assert sending.send() == b"lines"
    (request,) = sending.http.requests
    assert request.url == LINK.path
    assert request.query == ()
    assert "k3y" not in f"{request.url}{dict(request.headers)}"
    assert "authorization" not in {name.lower() for name in request.headers}


@pytest.mark.parametrize("status", [401, 403])
def test_a_link_that_is_not_good_any_more_is_asked_for_anew(status: int) -> None:
    """It says nothing of the key: the extraction begins again at the links."""
    sending = _Sending(response(status, b"<Error/>"))
    with pytest.raises(SourceUnavailable, match="the link that the source handed out"):
        sending.send()
    assert sending.secrets.fetched_fresh == []
    assert len(sending.http.requests) == 1


@pytest.mark.parametrize("answer", [response(503), unavailable(), response(404), response(403), response(429)])
def test_a_link_s_signature_is_shown_nowhere(answer: HttpResponse | BaseException) -> None:
    """It is as good as a key, in logs and in errors."""
    sending = _Sending(answer)
    with pytest.raises((SourceUnavailable, RequestRefused)) as caught:
        sending.send()
    shown = f"{caught.value} {sending.log.getvalue()}"
    assert "users-1.ndjson" in shown
    assert "s3cr3t" not in shown
    assert "1790000600" not in shown


def test_the_tool_s_own_paths_are_asked_with_the_key() -> None:
    """And a 401 there is about the key."""
    sending = _Sending(response(401), response(200, b"{}"))
    assert sending.send(PageRequest("/orgs/example-org/copilot")) == b"{}"
    assert sending.http.requests[-1].headers["Authorization"] == "Bearer k3y"
    assert sending.secrets.fetched_fresh == ["copilot"]
