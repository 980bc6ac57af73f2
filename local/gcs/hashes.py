"""The checksums of an object, computed while its bytes arrive."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import google_crc32c

BLOCK_BYTES = 1 << 20


class Hashes:
    """Running MD5, CRC32C and size of a stream of bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]  # the package has no types

    @classmethod
    def of_file(cls, path: Path) -> Hashes:
        """The hashes of what a file holds now."""
        hashes = cls()
        for block in blocks_of(path):
            hashes.update(block)
        return hashes

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._md5.update(data)
        self._crc32c.update(data)
        self.size += len(data)

    @property
    def md5(self) -> str:
        """Base64 of the MD5, as in `md5Hash`."""
        return base64.b64encode(self._md5.digest()).decode()

    @property
    def crc32c(self) -> str:
        """Base64 of the big-endian CRC32C, as in `crc32c`."""
        return base64.b64encode(self._crc32c.digest()).decode()


def blocks_of(path: Path) -> Iterable[bytes]:
    """The file's bytes in blocks of at most BLOCK_BYTES."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def from_header(header: str) -> dict[str, str]:
    """`x-goog-hash: crc32c=…,md5=…` as the fields of an object resource; unknown algorithms are ignored."""
    fields = {"crc32c": "crc32c", "md5": "md5Hash"}
    found: dict[str, str] = {}
    for pair in header.split(","):
        algorithm, _, value = pair.strip().partition("=")
        if algorithm in fields and value:
            found[fields[algorithm]] = value
    return found
