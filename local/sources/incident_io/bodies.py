"""The body of the incident list, put together from rendered incidents."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from local.sources.kit.bodies import ListHead, Row, list_body

_HEAD = ListHead.of(b'{"incidents":[')


def incidents_body(rows: Sequence[Row], meta: dict[str, object], *, gzipped: bool) -> bytes:
    """`{"incidents": [...], "pagination_meta": {...}}`, as a gzip stream if wanted."""
    return list_body(_HEAD, rows, b'],"pagination_meta":' + msgspec.json.encode(meta) + b"}", gzipped=gzipped)
