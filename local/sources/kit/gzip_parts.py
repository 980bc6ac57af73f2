"""Gzip bodies put together from parts that were deflated once.

A page is many incidents that seldom change, so each is deflated on its own, ended on a byte boundary, and a page is
their concatenation: a header, the parts, an end block and the checksum of the whole. Any gzip reader takes it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_END_BLOCK = b"\x03\x00"
STORED_LIMIT = 0xFFFF
"""A stored block's length field has 16 bits."""


def deflate_part(data: bytes) -> bytes:
    """Raw deflate of `data`, ended on a byte boundary and without an end block, so that another part can follow."""
    compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def stored_header(length: int) -> bytes:
    """What stands before `length` bytes that are put into the stream as they are. ValueError over STORED_LIMIT."""
    if not 0 <= length <= STORED_LIMIT:
        raise ValueError(f"a stored block holds at most {STORED_LIMIT} bytes, not {length}")
    return struct.pack("<BHH", 0, length, length ^ 0xFFFF)


def gzip_of_parts(parts: Iterable[bytes], plain: Iterable[bytes]) -> bytes:
    """The gzip stream of parts that inflate to the pieces of `plain` when put one after another."""
    checksum = length = 0
    for piece in plain:
        # piece by piece: joining the pieces of a page only to read them once costs more than the checksum
        checksum = zlib.crc32(piece, checksum)
        length += len(piece)
    tail = struct.pack("<II", checksum, length & 0xFFFFFFFF)
    return b"".join((_HEADER, *parts, _END_BLOCK, tail))
