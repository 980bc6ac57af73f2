"""Where a JSON document holds personal texts, and the same document without them.

Personal is every text below a key that is listed; JSON that stands in a text is looked into. Whatever was found there,
and everything that looks like an e-mail address, is replaced wherever else it occurs: in other values, inside longer
texts, in keys.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec

WITHHELD = "withheld: it tells personal values, and is no JSON in which they could be found"

MOST_TEXTS, LONGEST_TEXT = 1000, 1000
"""So many texts, of so many letters, are looked for inside others; a longer one is replaced as a whole text."""

# It begins where a word begins, and has few quotes in it, so that a long text is gone through once.
_EMAIL = r"(?<![\w.+%-])[\w.+%-]+(?:'[\w.+%-]+){0,2}(?:@|%40)[\w-]+(?:\.[\w-]+)+"

# A number goes on as it was written: one that became a float would lose digits.
_decoder = msgspec.json.Decoder(float_hook=lambda literal: msgspec.Raw(literal.encode()))

Path = tuple[str, ...]


class Undecodable(Exception):
    """What cannot be decoded cannot be redacted."""


def decoded(document: bytes | str) -> Any:
    """The document's values; numbers with a point stay as written. Raises Undecodable."""
    try:
        return _decoder.decode(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        # no cause: its message is about the content
        raise Undecodable(type(exc).__name__) from None


class FieldNames:
    """Names of JSON keys; `user.name` is the key `name` of a `user`, `users.*` all keys of `users`. Case is ignored."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_last: dict[str, list[Path]] = {}
        for name in names:
            path = tuple(name.lower().split("."))
            self._by_last.setdefault(path[-1], []).append(path)
        quoted = "|".join(re.escape(last) for last in sorted(self._by_last) if last != "*")
        # a quoted name and a colon, as in JSON of whatever degree of escaping
        self._mention = re.compile(rf"""["'](?:{quoted})\\*["']\s*:""", re.IGNORECASE) if quoted else None

    def match(self, path: Path) -> bool:
        """Whether the key at the end of this path (in lower case) is listed."""
        return any(path[-len(listed) :] == listed for listed in self._by_last.get(path[-1], ()))

    def mentioned(self, text: str) -> bool:
        """Whether a text that is no JSON seems to hold some with a listed key."""
        return self._mention is not None and self._mention.search(text) is not None


def personal_texts(document: Any, names: FieldNames) -> set[str]:
    """Every text of a decoded document that is personal by its key. Raises Undecodable when nested too deep."""
    try:
        return set(_found(document, (), names, personal=False))
    except RecursionError:
        raise Undecodable("nested deeper than it can be walked through") from None


class Occurrences:
    """Some personal texts, to be found inside other texts in any case, also percent-encoded; e-mail addresses too.

    Raises Undecodable for more texts than can be looked for.
    """

    def __init__(self, personal: Iterable[str], pseudonym: Callable[[str], str]) -> None:
        self._pseudonym = pseudonym
        variants = {variant for text in personal for variant in _variants(text)}
        if len(variants) > MOST_TEXTS:
            raise Undecodable(f"more than {MOST_TEXTS} personal texts")
        self._long = {variant for variant in variants if len(variant) > LONGEST_TEXT}
        ordered = sorted(variants - self._long, key=lambda variant: (-len(variant), variant))
        self._lowered = [variant.lower() for variant in ordered]
        # the longest first, and an address before the name that it begins with
        addresses = [_as_words(variant) for variant in ordered if "@" in variant]
        names = [_as_words(variant) for variant in ordered if "@" not in variant]
        self._pattern = re.compile("|".join([*addresses, _EMAIL, *names]), re.IGNORECASE)

    def replaced(self, text: str) -> str:
        """The text with a pseudonym in the place of each occurrence."""
        if text.strip() in self._long:
            return self._pseudonym(text)
        lowered = text.lower()
        # most texts hold nothing, and a search for each costs less than the pattern
        if "@" in text or "%40" in text or any(variant in lowered for variant in self._lowered):
            return self._pattern.sub(lambda found: self._pseudonym(unquote(found[0])), text)
        return text

    def is_one(self, text: str) -> bool:
        """Whether the text is an occurrence as a whole, and no address."""
        return "@" not in text and self._pattern.fullmatch(text.strip()) is not None


def redacted(document: Any, names: FieldNames, found: Occurrences, pseudonym: Callable[[str], str]) -> Any:
    """The decoded document with pseudonyms for its personal texts. Raises Undecodable when nested too deep."""
    try:
        return _Redactor(names, found, pseudonym).redacted(document, (), personal=False)
    except RecursionError:
        raise Undecodable("nested deeper than it can be walked through") from None


class _Redactor:
    def __init__(self, names: FieldNames, found: Occurrences, pseudonym: Callable[[str], str]) -> None:
        self._names, self._found, self._pseudonym = names, found, pseudonym

    def redacted(self, node: Any, path: Path, *, personal: bool) -> Any:
        if isinstance(node, str):
            return self._text(node, path, personal=personal)
        if isinstance(node, list):
            return [self.redacted(value, path, personal=personal) for value in node]
        if isinstance(node, dict):
            return self._object(node, path, personal=personal)
        return node

    def _object(self, node: dict[str, Any], path: Path, *, personal: bool) -> dict[str, Any]:
        keys_are = personal or self._names.match((*path, "*"))
        values: dict[str, Any] = {}
        for key, value in node.items():
            below = (*path, key.lower())
            shown = self._pseudonym(key) if keys_are and not personal else self._found.replaced(key)
            while shown in values:
                shown += "+"  # two spellings of a name; both are kept
            values[shown] = self.redacted(value, below, personal=personal or self._names.match(below))
        return values

    def _text(self, text: str, path: Path, *, personal: bool) -> str:
        if personal:
            return self._pseudonym(text)
        nested = _nested(text)
        if nested is not None:
            return msgspec.json.encode(self.redacted(nested, path, personal=False)).decode()
        return WITHHELD if self._names.mentioned(text) else self._found.replaced(text)


def _found(node: Any, path: Path, names: FieldNames, *, personal: bool) -> Iterator[str]:
    if isinstance(node, str):
        if personal:
            yield node
        elif (nested := _nested(node)) is not None:
            yield from _found(nested, path, names, personal=False)
    elif isinstance(node, list):
        for value in node:
            yield from _found(value, path, names, personal=personal)
    elif isinstance(node, dict):
        if not personal and names.match((*path, "*")):
            yield from node
        for key, value in node.items():
            below = (*path, key.lower())
            yield from _found(value, below, names, personal=personal or names.match(below))


def _nested(text: str) -> Any | None:
    """The object or list that a text holds as JSON, if it holds one."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return decoded(text)
    except Undecodable:
        return None


def _variants(text: str) -> Iterator[str]:
    stripped = text.strip()
    if any(character.isalnum() for character in stripped):
        yield stripped
        yield quote(stripped, safe="")


def _as_words(text: str) -> str:
    """The text as whole words: `al` does not occur in `value`."""
    before = r"(?<!\w)" if re.match(r"\w", text) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", text) else ""
    return before + re.escape(text) + after
