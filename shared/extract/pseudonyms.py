"""Pseudonyms of personal values: the same person has the same one in every source with the same key, and without the
key nobody can tell whose it is, nor try out names until one fits.

A pseudonym has the form of an e-mail address at a domain that cannot exist, `<64 hex digits>@pseudonym.invalid`.
Staging brings names into their normal form before it hashes them, which drops the +tag of an address: so `spelled` can
keep two spellings of one name apart where they are keys of rows, and staging still sees one person.
"""

import hashlib
import hmac
import re
from collections.abc import Collection

from shared.errors import ConfigurationError
from shared.ports import Secrets
from shared.registry.model import Pseudonymise, Source

DOMAIN = "pseudonym.invalid"
"""`.invalid` is reserved: no mailbox, and no person, has such an address."""

KEY_BYTES = 32
"""A shorter key than the hash is long would be what an attacker tries out."""

_TAGGED_ADDRESS = re.compile(r"([^+@]+)\+[^@]*@([^@]+)")


def normal_form(text: str, domains_without_dots: Collection[str] = ()) -> str:
    """The spelling that stands for all of one name, as the dbt macro `normalised_actor` makes it.

    Lower case, no blanks around it; an e-mail without its +tag, and without the dots before the @ at these domains.
    """
    # letter by letter, as SQL does it: Python's own lower() has another small sigma at the end of a word
    lowered = "".join(map(str.lower, text.strip(" ")))
    tagged = _TAGGED_ADDRESS.fullmatch(lowered)
    untagged = f"{tagged[1]}@{tagged[2]}" if tagged else lowered
    local, _, rest = untagged.partition("@")
    domain = rest.partition("@")[0]
    return f"{local.replace('.', '')}@{domain}" if domain in domains_without_dots else untagged


class Pseudonyms:
    """What takes the place of personal values, by a key."""

    def __init__(self, key: bytes, domains_without_dots: Collection[str] = ()) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)
        self._domains_without_dots = frozenset(domains_without_dots)

    def of(self, text: str) -> str:
        """The pseudonym of a name in whatever spelling; blank text names nobody and stays."""
        return f"{self._digest(self.normal(text))}@{DOMAIN}" if text.strip() else text

    def spelled(self, text: str) -> str:
        """The pseudonym of a name in this spelling: each spelling has its own +tag, the normal form has none."""
        normal = self.normal(text)
        if text == normal or not text.strip():
            return self.of(text)
        return f"{self._digest(normal)}+{self._digest(chr(0) + text)[:16]}@{DOMAIN}"

    def normal(self, text: str) -> str:
        """The name's normal form, which is what is hashed."""
        return normal_form(text, self._domains_without_dots)

    def _digest(self, text: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(text.encode())
        return keyed.hexdigest()


def pseudonyms_of(source: Source, chosen: Pseudonymise, secrets: Secrets) -> Pseudonyms:
    """The pseudonyms of a source, by the key in the secret that its block names.

    Raises ConfigurationError when there is no such secret, or its key is too short; TransientError as Secrets does.
    """
    # stripped: whoever pastes a key with a line break means the same key
    key = secrets.fetch(chosen.secret).strip().encode()
    if len(key) < KEY_BYTES:
        raise ConfigurationError(
            [
                f"source {source.name}: the key in secret {chosen.secret!r} has {len(key)} bytes, pseudonyms need at "
                f"least {KEY_BYTES}; nothing is extracted without. Put 64 random hexadecimal digits there, once: "
                "another key gives everybody another pseudonym"
            ]
        )
    return Pseudonyms(key, chosen.email_domains_without_dots)
