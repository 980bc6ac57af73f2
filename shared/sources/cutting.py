"""Cutting the records out of a page that is no valid JSON as a whole, so that one bad record costs only itself.

Brackets are counted outside of string literals, without recursion; what stands between them is not looked at.
"""

import re

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def cut_array(body: bytes, name: str) -> tuple[list[bytes], bytes]:
    """The elements of the top-level object's array `name`, byte for byte, and the body with that array emptied.

    Raises ValueError when there is no such array, or the brackets do not match (a body that was cut short).
    """
    key, depth, begin = b"", 0, 0
    opened: int | None = None
    closed: int | None = None
    elements: list[bytes] = []
    for token in _TOKEN.finditer(body):
        first = token[0][:1]
        inside = opened is not None and closed is None
        if first == b'"':
            if depth == 1:
                key = token[0]
        elif first in (b"[", b"{"):
            if depth == 1 and first == b"[" and opened is None and key == b'"%b"' % name.encode():
                opened = begin = token.end()
            depth += 1
        elif first == b",":
            if inside and depth == 2:
                elements.append(body[begin : token.start()].strip())
                begin = token.end()
        else:
            depth -= 1
            if inside and depth == 1:
                closed = token.start()
                if (element := body[begin:closed].strip()) or elements:
                    elements.append(element)
    if depth != 0 or opened is None or closed is None:
        raise ValueError(f"no complete array {name!r}")
    return elements, body[:opened] + body[closed:]
