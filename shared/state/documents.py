"""JSON documents in the state bucket: read with their generation, written on condition."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.ports import Bucket


@dataclass(frozen=True, slots=True)
class Document:
    """A document's content, and the generation that it was read at."""

    name: str
    value: Mapping[str, Any]
    generation: int


@dataclass(frozen=True, slots=True)
class Documents:
    """The state bucket as JSON documents. `new_token` makes the owner tokens of writes."""

    bucket: Bucket
    new_token: Callable[[], str]

    def get(self, name: str) -> Document | None:
        """The document of that name."""
        found = self.bucket.read(name)
        if found is None:
            return None
        data, generation = found
        return Document(name, json.loads(data), generation)

    def create(self, name: str, value: Mapping[str, Any]) -> tuple[Document, bool]:
        """The document that is there now, and whether this call put it there."""
        creation = self.bucket.create(name, _encode(value), owner=self.new_token())
        if creation.created:
            return Document(name, value, creation.object.generation), True
        there = self.get(name)
        # between the refusal and the read somebody may have deleted it: then the name is free again
        return (there, False) if there is not None else self.create(name, value)

    def replace(self, document: Document, value: Mapping[str, Any]) -> Document:
        """Write a new value over the generation that was read. Raises StateConflict."""
        stored = self.bucket.replace(
            document.name, _encode(value), owner=self.new_token(), generation=document.generation
        )
        return Document(document.name, value, stored.generation)

    def delete(self, document: Document) -> bool:
        """Delete the generation that was read; tells whether it was still there."""
        return self.bucket.delete(document.name, generation=document.generation)

    def discard(self, name: str) -> None:
        """Delete whatever is there under that name now."""
        described = self.bucket.stat(name)
        if described is not None:
            self.bucket.delete(name, generation=described.generation)

    def exists(self, name: str) -> bool:
        """Whether there is a document of that name."""
        return self.bucket.stat(name) is not None

    def names(self, prefix: str) -> Iterator[str]:
        """Names of all documents under a prefix, in order."""
        return (described.name for described in self.bucket.list(prefix))

    def under(self, prefix: str) -> Iterator[Document]:
        """All documents under a prefix, by name; one that vanishes meanwhile is left out."""
        for name in self.names(prefix):
            document = self.get(name)
            if document is not None:
                yield document


def _encode(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
