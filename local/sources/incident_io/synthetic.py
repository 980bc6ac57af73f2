"""Made-up incidents in bulk, for measuring a reader: about 5 KB each, served faster than any reader takes them.

A few dozen generated incidents are rendered once; every other one is one of them with another id, number and date put
into its bytes. The deflated form has the same gaps (stored blocks), so a gzip page costs no compression either. Nothing
is kept, so memory doesn't grow with the number of incidents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sources.incident_io.api import SETTINGS
from local.sources.incident_io.bodies import incidents_body
from local.sources.incident_io.errors import VendorError, invalid_value, not_found
from local.sources.incident_io.generator import generate
from local.sources.incident_io.ids import base32, ulid
from local.sources.incident_io.listing import NEWEST_FIRST, parse_query
from local.sources.incident_io.objects import WorkspaceIncident, incident_object
from local.sources.incident_io.paths import LIST_PATH
from local.sources.incident_io.query import Parameters
from local.sources.incident_io.timeline import state_at
from local.sources.incident_io.workspaces import Workspace, load_workspaces
from local.sources.kit.bodies import Row, accepts_gzip, encoded_response, json_response
from local.sources.kit.gzip_parts import deflate_part, stored_header

_TEMPLATES = 48
_SECONDS_BETWEEN = 120
_START = datetime(2024, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_PREFIX_LENGTH = 18
_INDEX_LENGTH = 8
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_TWO_DIGITS = [base32(number, 2).encode() for number in range(1024)]
_TIMES = [f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z".encode() for s in range(_DAY)]


@dataclass(frozen=True, slots=True)
class Template:
    """One rendered incident with gaps: `%b` for each value that `choose` takes out of (id, number, *instants)."""

    plain: bytes
    deflated: bytes
    offsets: tuple[int, ...]
    choose: Callable[[list[bytes]], tuple[bytes, ...]]


def _template(incident: WorkspaceIncident, number_width: int) -> Template:
    """Find the incident's own id, number and instants in its JSON; instants of the configuration stay as they are."""
    state = state_at(incident.archived, datetime.max.replace(tzinfo=UTC))
    if state is None:
        raise ValueError(f"{incident.id} is never visible")
    text = msgspec.json.encode(incident_object(incident, state)).decode()
    number = str(incident.number)
    gaps = re.compile(
        rf'{incident.id}|(?<=INC-){number}(?=")|(?<=/incidents/){number}(?=")|(?<=inc-){number}|{_INSTANT}'
    )
    configured = incident.workspace.created_at
    plain, deflated, order, offsets, start = bytearray(), bytearray(), [], [], 0
    for match in gaps.finditer(text):
        found = match[0]
        if found == incident.id:
            slot, width = 0, len(found)
        elif found == number:
            slot, width = 1, number_width
        else:
            instant = datetime.fromisoformat(found)
            if instant == configured:
                continue
            offset = round((instant - incident.archived.started_at).total_seconds())
            if offset not in offsets:
                offsets.append(offset)
            slot, width = 2 + offsets.index(offset), 20
        between = text[start : match.start()].encode()
        plain += _escaped(between) + b"%b"
        deflated += _escaped(deflate_part(between) + stored_header(width)) + b"%b"
        order.append(slot)
        start = match.end()
    rest = text[start:].encode()
    return Template(
        bytes(plain + _escaped(rest)),
        bytes(deflated + _escaped(deflate_part(rest))),
        tuple(offsets),
        itemgetter(*order),
    )


def _escaped(literal: bytes) -> bytes:
    return literal.replace(b"%", b"%%")


class SyntheticIncidents:
    """`count` incidents of one workspace, the same for the same seed, created two minutes apart."""

    def __init__(self, count: int, seed: int) -> None:
        if not 0 <= count < 1 << (5 * _INDEX_LENGTH):
            raise ValueError(f"can't number {count} incidents")
        self.count = count
        self.workspace: Workspace = load_workspaces()[0]
        self._first_number = 10 ** len(str(count + 1))
        self._prefix = ulid(_START, "synthetic", str(seed))[:_PREFIX_LENGTH].encode()
        width = len(str(self._first_number))
        histories = generate(seed, _START, _START + timedelta(days=60), per_day=8)
        chosen = [archived for archived, _ in zip(histories, range(_TEMPLATES), strict=False)]
        self._templates = [
            _template(WorkspaceIncident.enrol(self.workspace, archived, 7_000_001 + n), width)
            for n, archived in enumerate(chosen)
        ]
        spread = max((max(t.offsets, default=0) for t in self._templates), default=0)
        first_day = int((_START - _EPOCH).total_seconds()) // _DAY
        past = -min((min(t.offsets, default=0) for t in self._templates), default=0)
        self._past_days = past // _DAY + 1
        days = (count * _SECONDS_BETWEEN + spread) // _DAY + 2 + self._past_days
        first = date(1970, 1, 1) + timedelta(days=first_day - self._past_days)
        self._days = [(first + timedelta(days=n)).isoformat().encode() for n in range(days)]

    def row(self, index: int, *, deflated: bool) -> Row:
        """The incident with this index, oldest first; its gzip part only when asked for."""
        template = self._templates[index % len(self._templates)]
        created = index * _SECONDS_BETWEEN + self._past_days * _DAY
        values = [self.id_of(index), b"%d" % (self._first_number + index)]
        for offset in template.offsets:
            day, second = divmod(created + offset, _DAY)
            values.append(self._days[day] + _TIMES[second])
        chosen = template.choose(values)
        return Row(template.plain % chosen, template.deflated % chosen if deflated else None)

    def id_of(self, index: int) -> bytes:
        """The id of the incident with this index: ids are in the order of creation."""
        low, high = index & 0xFFFFF, index >> 20
        return b"".join(
            (
                self._prefix,
                _TWO_DIGITS[high >> 10],
                _TWO_DIGITS[high & 1023],
                _TWO_DIGITS[low >> 10],
                _TWO_DIGITS[low & 1023],
            )
        )

    def index_of(self, incident_id: str) -> int | None:
        """The index of an id, or None when it isn't one of these."""
        digits = incident_id[_PREFIX_LENGTH:]
        if len(digits) != _INDEX_LENGTH or not digits.isalnum():
            return None
        index = 0
        for digit in digits:
            place = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(digit)
            if place < 0:
                return None
            index = index << 5 | place
        return index if index < self.count and self.id_of(index) == incident_id.encode() else None

    def page(self, *, size: int, after: str | None, newest_first: bool, gzipped: bool) -> bytes:
        """A list body; VendorError (422) for an `after` that isn't one of these ids."""
        start = self.count - 1 if newest_first else 0
        step = -1 if newest_first else 1
        if after is not None:
            found = self.index_of(after)
            if found is None:
                raise invalid_value("after", f"after: {after!r} is not the id of an incident")
            start = found + step
        stop = max(-1, start - size) if newest_first else min(self.count, start + size)
        indexes = range(start, stop, step)
        meta: dict[str, object] = {"page_size": size, "total_record_count": self.count}
        if len(indexes) == size:
            meta["after"] = self.id_of(indexes[-1]).decode()
        return incidents_body([self.row(index, deflated=gzipped) for index in indexes], meta, gzipped=gzipped)


def synthetic_pages(count: int, seed: int, *, page_size: int = 250, gzipped: bool = False) -> Iterator[bytes]:
    """The bodies of a whole reading, oldest first, without a server; after a full last page comes an empty one."""
    incidents = SyntheticIncidents(count, seed)
    for start in range(0, count + 1, page_size):
        after = incidents.id_of(start - 1).decode() if start else None
        yield incidents.page(size=page_size, after=after, newest_first=False, gzipped=gzipped)


def create_synthetic_app(incidents: SyntheticIncidents, keys: dict[str, str]) -> Starlette:
    """The list and the configuration endpoints over made-up incidents, without quotas.

    Filters are checked but every incident matches them, whatever they say: this measures readers, not filters.
    `keys` maps workspaces to keys; only the key of the incidents' workspace opens it.
    """
    expected = f"Bearer {keys[incidents.workspace.name]}"

    def respond(request: Request) -> Response:
        accept = request.headers.get("accept-encoding")
        if request.headers.get("authorization") != expected:
            raise VendorError(401, "authentication_error", "access_token_invalid", "Access token is invalid")
        if request.url.path in SETTINGS:
            return encoded_response(SETTINGS[request.url.path](incidents.workspace), accept_encoding=accept)
        if request.url.path != LIST_PATH:
            raise not_found(request.url.path)
        parameters = Parameters(request.query_params.multi_items())
        paging, query = parameters.paging(), parse_query(parameters, incidents.workspace)
        gzipped = accepts_gzip(accept)
        newest_first = query.sort_by == NEWEST_FIRST
        body = incidents.page(size=paging.size, after=paging.after, newest_first=newest_first, gzipped=gzipped)
        return json_response(body, gzipped=gzipped)

    async def answer(request: Request) -> Response:
        try:
            return respond(request)
        except VendorError as error:
            return encoded_response(error.body("req-synthetic"), accept_encoding=None, status=error.status)

    return Starlette(routes=[Route("/{path:path}", answer)])
