"""Who signed a request: the specification's vectors, and everything that is not the sender's."""

import base64
import json
import random
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.signature import Refusal, SignedHeaders, SigningKey, parse_keys, sign, verdict
from tests.support.webhooks import ROTATED, SECRET, Sender, event

NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)
BODY = event("public_incident.incident_updated_v2", id="01J", name="Checkout is slow")
KEYS = parse_keys(SECRET)[0]

VECTORS = {
    # github.com/standard-webhooks/standard-webhooks: the same in the tests of its Go, JavaScript and Python libraries
    "standard-webhooks": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    # docs.svix.com/receiving/verifying-payloads/how-manual
    "svix": (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        "1731705121",
        b'{"event_type":"ping","data":{"success":true}}',
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
}

STRANGERS = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def accepted(headers: dict[str, str], body: bytes = BODY, keys: tuple[SigningKey, ...] = KEYS) -> bool:
    return isinstance(verdict(headers, body, keys, NOW), SignedHeaders)


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("prefix", ["webhook-", "svix-"])
def test_the_published_vectors(vector: str, prefix: str) -> None:
    """Made, and accepted at their time, under either naming."""
    secret, webhook_id, timestamp, body, signature = VECTORS[vector]
    keys, _ = parse_keys(secret)
    assert sign(keys[0], webhook_id, timestamp, body) == signature
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    headers = {f"{prefix}id": webhook_id, f"{prefix}timestamp": timestamp, f"{prefix}signature": signature}
    assert verdict(headers, body, keys, sent_at) == SignedHeaders(webhook_id, timestamp, (signature,))
    assert verdict(headers, body + b" ", keys, sent_at) is Refusal.NO_MATCH
    assert verdict(headers, body, keys, NOW) is Refusal.TOO_OLD


@given(
    webhook_id=st.from_regex(r"msg_[A-Za-z0-9]{1,30}", fullmatch=True),
    text=st.text(st.characters(exclude_categories=["Cs"])),
    key=st.binary(min_size=24, max_size=64),
)
def test_the_signature_is_the_specified_one(webhook_id: str, text: str, key: bytes) -> None:
    """Any id, any text, any key: computed here by the letter of the specification, without the library."""
    sender = Sender("whsec_" + base64.b64encode(key).decode())
    assert accepted(sender.headers(webhook_id, NOW, text.encode()), text.encode(), (SigningKey(key),))


def test_a_body_that_is_no_text() -> None:
    """The scheme signs text: whoever signs such bytes is not the sender, and it is a verdict, no crash."""
    for body in (b"\xff", b'{"a": "\xed\xa0\x80"}', BODY.decode().encode("utf-16")):
        assert verdict(Sender().headers("msg_1", NOW, body), body, KEYS, NOW) is Refusal.NO_TEXT


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-301, Refusal.TOO_OLD),
        (-300, None),
        (0, None),
        (300, None),
        (301, Refusal.TOO_NEW),
        (-7 * 10**8, Refusal.TOO_OLD),
        (10**9, Refusal.TOO_NEW),
    ],
)
def test_five_minutes_either_way(seconds: int, expected: Refusal | None) -> None:
    """A replay is old by then; the clock is the one that is passed in."""
    found = verdict(Sender().headers("msg_1", NOW + timedelta(seconds=seconds), BODY), BODY, KEYS, NOW)
    assert (found if isinstance(found, Refusal) else None) is expected


@pytest.mark.parametrize(
    "timestamp", ["", "hello", "1.7e9", " 1795158000", "+1795158000", "1795158000.0", "-1", "1" * 400]
)
def test_a_timestamp_is_ten_digits(timestamp: str) -> None:
    """Also when it is signed."""
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": Sender().signature("msg_1", timestamp, BODY),
    }
    assert verdict(headers, BODY, KEYS, NOW) in (Refusal.MALFORMED_HEADERS, Refusal.MISSING_HEADERS)


def test_digits_of_another_script_are_none() -> None:
    """`int` would read them."""
    headers = Sender().headers("msg_1", NOW, BODY)
    headers["webhook-timestamp"] = "".join(chr(0x0660 + int(digit)) for digit in headers["webhook-timestamp"])
    assert verdict(headers, BODY, KEYS, NOW) is Refusal.MALFORMED_HEADERS


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_every_header_is_needed_and_namings_are_not_mixed(name: str) -> None:
    headers = Sender().headers("msg_1", NOW, BODY)
    taken = headers.pop(f"webhook-{name}")
    assert verdict(headers, BODY, KEYS, NOW) is Refusal.MISSING_HEADERS
    assert verdict({**headers, f"svix-{name}": taken}, BODY, KEYS, NOW) is Refusal.MISSING_HEADERS


@pytest.mark.parametrize(
    "webhook_id",
    ["msg_1\n", "msg 1", "msg_\u0441", "m" * 257, "x\x00"],
)
def test_an_id_that_no_sender_gives(webhook_id: str) -> None:
    assert verdict(Sender().headers(webhook_id, NOW, BODY), BODY, KEYS, NOW) is Refusal.MALFORMED_HEADERS


def test_several_signatures_at_a_rotation() -> None:
    """The sender signs with both keys; whoever knows one of them accepts. Unknown versions are passed over."""
    headers = Sender().headers("msg_1", NOW, BODY)
    both = f"{STRANGERS} v1a,{STRANGERS[3:]} {Sender(ROTATED).headers('msg_1', NOW, BODY)['webhook-signature']}"
    headers["webhook-signature"] = f"{both} {headers['webhook-signature']} v2,x nonsense"
    for secret in (SECRET, ROTATED, f"{ROTATED}\n {SECRET}"):
        assert accepted(headers, keys=parse_keys(secret)[0])
    assert not accepted(headers, keys=())
    assert not accepted({**headers, "webhook-signature": both}, keys=KEYS)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s[:-1],
        lambda s: s[:8],
        lambda s: "v1,",
        lambda s: "",
        lambda s: s.replace("v1,", "v2,"),
        lambda s: s.replace("v1,", ""),
        lambda s: s.replace("v1,", "V1,"),
        lambda s: s.replace("=", "=="),
        lambda s: s + " " * 5000,
        lambda s: s.swapcase(),
        lambda s: f"\u00a0{s}",
    ],
)
def test_nearly_a_signature(change: object) -> None:
    headers = Sender().headers("msg_1", NOW, BODY)
    headers["webhook-signature"] = change(headers["webhook-signature"])  # type: ignore[operator]  # a table of lambdas
    assert not accepted(headers)


def test_the_signature_is_over_the_bytes_that_came() -> None:
    """The same JSON, written anew, is another body."""
    headers = Sender().headers("msg_1", NOW, BODY)
    assert accepted(headers)
    parsed = json.loads(BODY)
    for other in (
        json.dumps(parsed, separators=(",", ":")).encode(),
        json.dumps(parsed, indent=1).encode(),
        BODY + b"\n",
        b"\xef\xbb\xbf" + BODY,
        BODY.decode().encode("utf-16"),
    ):
        assert not accepted(headers, other)


@pytest.mark.parametrize("webhook_id", ["msg.1", "a.b.c", ".", "msg.1.2", "v1.123456789.x", "1795158000"])
def test_dots_in_an_id(webhook_id: str) -> None:
    assert accepted(Sender().headers(webhook_id, NOW, BODY))


@given(
    first=st.text("msg_1.", min_size=1, max_size=6),
    parts=st.lists(
        st.sampled_from(["1795158000", "1795158001", "a", "", '{"event_type":"x"}']), min_size=1, max_size=5
    ),
)
def test_signed_bytes_are_cut_in_one_way_only(first: str, parts: list[str]) -> None:
    """Of all ways to cut genuine bytes into id, timestamp and body, one at most is accepted."""
    now = datetime.fromtimestamp(1795158000, UTC)
    pieces = ".".join([first, *parts]).split(".")
    ways = 0
    for i in range(1, len(pieces) - 1):
        webhook_id, timestamp, body = ".".join(pieces[:i]), pieces[i], ".".join(pieces[i + 1 :])
        signature = Sender().signature(webhook_id, timestamp, body.encode())
        headers = {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
        ways += isinstance(verdict(headers, body.encode(), KEYS, now), SignedHeaders)
    assert ways <= 1


def test_ten_thousand_forgeries() -> None:
    """Each a genuine request with something changed, made up, or signed by another key: none is accepted."""
    chance = random.Random(7)
    other = Sender(ROTATED)
    genuine = Sender().headers("msg_1", NOW, BODY)
    assert accepted(genuine)
    for number in range(10_000):
        headers, body = dict(genuine), bytearray(BODY)
        match number % 6:
            case 0:
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            case 1:
                headers["webhook-id"] = f"msg_{chance.randrange(2, 10**9)}"
            case 2:
                headers["webhook-timestamp"] = str(
                    int(NOW.timestamp()) + chance.choice([-1, 1]) * chance.randrange(1, 300)
                )
            case 3:
                headers["webhook-signature"] = f"v1,{base64.b64encode(secrets.token_bytes(32)).decode()}"
            case 4:
                headers = other.headers(f"msg_{number}", NOW, bytes(body))
            case 5:
                digest = bytearray(base64.b64decode(genuine["webhook-signature"][3:]))
                digest[chance.randrange(32)] ^= 1 << chance.randrange(8)
                headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        assert verdict(headers, bytes(body), KEYS, NOW) in (Refusal.NO_MATCH, Refusal.NO_TEXT), headers


@pytest.mark.parametrize(
    ("secret", "keys", "strange"),
    [
        ("", 0, 0),
        (" \n ", 0, 0),
        (SECRET, 1, 0),
        (SECRET.rstrip("="), 1, 0),
        (f"{SECRET}\r\n{ROTATED} ", 2, 0),
        (f"{SECRET} {SECRET.removeprefix('whsec_')}", 1, 1),
        ("whsec_", 0, 1),
        ("whsec_!!!!", 0, 1),
        (f"{SECRET[:20]}!!!!{SECRET[20:]}", 0, 1),
        ("whsec_c2hvcnQ=", 0, 1),
        ("whpk_" + SECRET.removeprefix("whsec_"), 0, 1),
        ("whsec_\u00e9" + "A" * 40, 0, 1),
    ],
)
def test_the_keys_in_a_secret(secret: str, keys: int, strange: int) -> None:
    """An empty or short key would let anybody sign."""
    found, ignored = parse_keys(secret)
    assert (len(found), ignored) == (keys, strange)
    assert all(repr(key) == "SigningKey()" for key in found)
