"""Whose key it is, and what it may see."""

import msgspec

from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse

PATH = "/v1/identity"

SEES_PRIVATE = "global_access"
"""The role of keys that may see private incidents."""


class Identity(msgspec.Struct):
    """What the vendor says of a key."""

    name: str
    dashboard_url: str
    roles: list[str] = []

    @property
    def workspace(self) -> str:
        """The workspace by its name in the dashboard's address."""
        return self.dashboard_url.rstrip("/").rpartition("/")[2]


class _Answer(msgspec.Struct):
    identity: Identity


_answer = msgspec.json.Decoder(_Answer)


def identity_of(response: HttpResponse) -> Identity:
    """The identity in an answer. Raises UnusableBody."""
    try:
        return _answer.decode(response.body).identity
    except msgspec.DecodeError as exc:
        raise UnusableBody(f"no identity: {exc}") from exc
