"""Whether a request was signed by the sender: the Standard Webhooks scheme, decided without I/O.

Signed is `<id>.<timestamp>.<body>`, by HMAC-SHA256, over the text as it came. Header names begin with `webhook-`, or
with `svix-` as the same sender's older name. https://github.com/standard-webhooks/standard-webhooks

The scheme's own library makes the signatures; what is refused before one is compared is decided here.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from standardwebhooks.webhooks import Webhook

TOLERANCE = timedelta(minutes=5)
"""How far a request's timestamp may lie from our clock, either way: what the specification's libraries allow."""

_NAMINGS = tuple(
    tuple(f"{prefix}-{name}" for name in ("id", "timestamp", "signature")) for prefix in ("webhook", "svix")
)
HEADERS = tuple(name for naming in _NAMINGS for name in naming)
"""The headers that are read, by their lower-case names."""

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with, not a secret
_LEAST_KEY_BYTES = 16  # the specification asks for 24; the sender's own documentation has a key of 18
_ID = re.compile(r"[\x21-\x7e]{1,256}")
# Dots in an id let the same signed bytes be cut in another way: `a.1700000000` and a body, or `a`, that time and a
# longer body. Only an id that holds something like a timestamp of its own can be cut so; without those a cut is unique.
_AMBIGUOUS_ID = re.compile(r"\.[0-9]{10}(?:\.|$)")
_TIMESTAMP = re.compile(r"[0-9]{10}")
_MOST_SIGNATURE_BYTES = 4096
# some fifty signatures; a sender that rotates its secret sends two


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that the sender signs with; never shown."""

    value: bytes = field(repr=False)


class Refusal(StrEnum):
    """Why a request is not the sender's. The value is what the log says."""

    MISSING_HEADERS = "a signature header is missing"
    MALFORMED_HEADERS = "a signature header is malformed"
    TOO_OLD = "the timestamp is too old"
    TOO_NEW = "the timestamp lies in the future"
    NO_TEXT = "the body is no UTF-8, and no sender signs such a one"
    NO_MATCH = "no signature fits"


@dataclass(frozen=True, slots=True)
class SignedHeaders:
    """The three headers, well-formed: an id, Unix seconds as text, and signatures such as `v1,<base64>`."""

    webhook_id: str
    timestamp: str
    signatures: tuple[str, ...]

    @property
    def sent_at(self) -> datetime:
        """When this attempt was made; a retry has a new one."""
        return datetime.fromtimestamp(int(self.timestamp), UTC)


def parse_keys(secret: str) -> tuple[tuple[SigningKey, ...], int]:
    """The keys of a secret's value, `whsec_<base64>` separated by whitespace, and how many words of it are none."""
    words = secret.split()
    keys = [key for word in words if (key := _key(word)) is not None]
    return tuple(keys), len(words) - len(keys)


def sign(key: SigningKey, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The signature that a sender with this key sends: `v1,<base64>`. `timestamp` is Unix seconds, ten digits.

    Raises UnicodeDecodeError for a body that is no UTF-8; the scheme signs text.
    """
    return _sign(key, webhook_id, timestamp, body.decode())


def _sign(key: SigningKey, webhook_id: str, timestamp: str, text: str) -> str:
    return Webhook(key.value).sign(webhook_id, datetime.fromtimestamp(int(timestamp), UTC), text)


def verdict(
    headers: Mapping[str, str], body: bytes, keys: Sequence[SigningKey], now: datetime
) -> SignedHeaders | Refusal:
    """The request's signed headers, or why it is refused. Of `headers` those named in HEADERS are read.

    Comparisons take as long for a nearly right signature as for a wrong one.
    """
    read = read_headers(headers)
    if isinstance(read, Refusal):
        return read
    if read.sent_at < now - TOLERANCE:
        return Refusal.TOO_OLD
    if read.sent_at > now + TOLERANCE:
        return Refusal.TOO_NEW
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Refusal.NO_TEXT
    for key in keys:
        expected = _sign(key, read.webhook_id, read.timestamp, text)
        if any(hmac.compare_digest(expected, given) for given in read.signatures):
            return read
    return Refusal.NO_MATCH


def read_headers(headers: Mapping[str, str]) -> SignedHeaders | Refusal:
    """The signature headers of one naming, never mixed from both; `webhook-` is looked at first."""
    for naming in _NAMINGS:
        given = [headers.get(name, "") for name in naming]
        if all(given):
            return _well_formed(*given)
    return Refusal.MISSING_HEADERS


def _well_formed(webhook_id: str, timestamp: str, signatures: str) -> SignedHeaders | Refusal:
    if (
        not _ID.fullmatch(webhook_id)
        or _AMBIGUOUS_ID.search(webhook_id)
        or not _TIMESTAMP.fullmatch(timestamp)
        or len(signatures) > _MOST_SIGNATURE_BYTES
        or not signatures.isascii()
    ):
        return Refusal.MALFORMED_HEADERS
    return SignedHeaders(webhook_id, timestamp, tuple(signatures.split(" ")))


def _key(word: str) -> SigningKey | None:
    encoded = word.removeprefix(_SECRET_PREFIX)
    if encoded == word:
        return None
    try:
        # senders leave the padding out now and then
        value = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return SigningKey(value) if len(value) >= _LEAST_KEY_BYTES else None
