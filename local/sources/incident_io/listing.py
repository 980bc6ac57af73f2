"""`GET /v2/incidents`: which incidents, in which order, on which page.

The rows of a filter are worked out once for a state of the workspace and kept, so that the pages of one reading cost a
slice each. `after` names a place in the order, not a row of the result: it holds when that incident left the filter.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local.sources.incident_io.errors import VendorError, invalid_value
from local.sources.incident_io.ids import base32
from local.sources.incident_io.query import Paging, Parameters
from local.sources.incident_io.store import Rendered, WorkspaceStore
from local.sources.incident_io.workspaces import Workspace

Predicate = Callable[[Rendered], bool]

OLDEST_FIRST = "created_at_oldest_first"
NEWEST_FIRST = "created_at_newest_first"
HIDDEN_CATEGORIES = frozenset({"declined", "canceled", "merged"})
"""Left out unless `status_category` is given: seen against the live API."""
DEFAULT_MODES = frozenset({"standard", "retrospective"})
CATEGORIES = ("triage", "declined", "merged", "canceled", "live", "learning", "closed", "paused")
MODES = ("standard", "retrospective", "test", "tutorial")
_KEPT_RESULTS = 16


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows in the order asked for; `after` only when the page was full, so a last empty page can follow."""

    rows: Sequence[Rendered]
    page_size: int
    after: str | None
    total: int


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """A parsed list query: what to keep, in which order."""

    predicate: Predicate
    sort_by: str


def parse_query(parameters: Parameters, workspace: Workspace) -> IncidentQuery:
    """Read the filters of `GET /v2/incidents`. Raises VendorError (422) for a value the vendor would refuse."""
    unsupported = parameters.fields() & {"incident_role", "custom_field"}
    if unsupported:
        name = min(unsupported)
        # ignoring a filter would answer with rows that the vendor would not have sent
        raise VendorError(422, "validation_error", "not_supported", f"this double can't filter by {name}", field=name)
    chosen: list[Predicate] = []
    always: list[Predicate] = []
    _by_days(parameters, chosen)
    _by_status(parameters, workspace, chosen)
    _by_severity(parameters, workspace, chosen)
    _by_type(parameters, workspace, chosen)
    _by_category(parameters, chosen, always)
    _by_mode(parameters, chosen, always)
    combine = any if parameters.choice("filter_mode", ("all", "any")) == "any" and chosen else all

    def keeps(row: Rendered) -> bool:
        return all(test(row) for test in always) and combine(test(row) for test in chosen)

    return IncidentQuery(keeps, parameters.choice("sort_by", (NEWEST_FIRST, OLDEST_FIRST)) or NEWEST_FIRST)


def _by_days(parameters: Parameters, chosen: list[Predicate]) -> None:
    created, updated = parameters.days("created_at"), parameters.days("updated_at")
    if created is not None:
        chosen.append(lambda row: created.holds(row.incident.archived.started_at))
    if updated is not None:
        chosen.append(lambda row: updated.holds(row.state.updated_at))


def _one_of(
    parameters: Parameters, name: str, known: Sequence[str], value: Callable[[Rendered], str | None]
) -> list[Predicate]:
    """The tests of `name[one_of]` and `name[not_in]`; 422 for a value that isn't known."""
    tests: list[Predicate] = []
    given = parameters.operators(
        name, ("one_of", "not_in", "gte", "lte") if name == "severity" else ("one_of", "not_in")
    )
    for operator, wanted in given.items():
        for text in wanted:
            if text not in known:
                raise invalid_value(name, f"{name}[{operator}]: {text!r} is not one of this workspace's")
        if operator == "one_of":
            tests.append(_is_among(value, wanted, expected=True))
        elif operator == "not_in":
            tests.append(_is_among(value, wanted, expected=False))
    return tests


def _is_among(value: Callable[[Rendered], str | None], wanted: Sequence[str], *, expected: bool) -> Predicate:
    known = frozenset(wanted)
    return lambda row: (value(row) in known) is expected


def _by_status(parameters: Parameters, workspace: Workspace, chosen: list[Predicate]) -> None:
    ids = [status.id for status in workspace.statuses]
    chosen += _one_of(parameters, "status", ids, lambda row: workspace.status_for(row.state.status).id)


def _by_type(parameters: Parameters, workspace: Workspace, chosen: list[Predicate]) -> None:
    ids = [kind.id for kind in workspace.incident_types]
    chosen += _one_of(parameters, "incident_type", ids, lambda row: workspace.type_for(row.incident.archived.impact).id)


def _by_severity(parameters: Parameters, workspace: Workspace, chosen: list[Predicate]) -> None:
    ranks = {severity.id: severity.rank for severity in workspace.severities}

    def severity(row: Rendered) -> str | None:
        return None if row.state.impact is None else workspace.severity_for(row.state.impact).id

    chosen += _one_of(parameters, "severity", list(ranks), severity)
    given = parameters.operators("severity", ("one_of", "not_in", "gte", "lte"))
    # a row without a severity is neither above nor below any
    if floors := [ranks[one] for one in given.get("gte", [])]:
        chosen.append(lambda row: ranks.get(severity(row) or "", -1) >= max(floors))
    if ceilings := [ranks[one] for one in given.get("lte", [])]:
        chosen.append(lambda row: ranks.get(severity(row) or "", 1 << 62) <= min(ceilings))


def _by_category(parameters: Parameters, chosen: list[Predicate], always: list[Predicate]) -> None:
    tests = _one_of(parameters, "status_category", CATEGORIES, lambda row: row.state.category)
    chosen += tests
    if not tests:
        always.append(lambda row: row.state.category not in HIDDEN_CATEGORIES)


def _by_mode(parameters: Parameters, chosen: list[Predicate], always: list[Predicate]) -> None:
    wanted = parameters.operators("mode", ("one_of",)).get("one_of")
    for text in wanted or ():
        if text not in MODES:
            raise invalid_value("mode", f"mode[one_of] must be one of {', '.join(MODES)}; got {text!r}")
    if wanted:
        chosen.append(lambda row: row.incident.archived.mode in wanted)
    else:
        always.append(lambda row: row.incident.archived.mode in DEFAULT_MODES)


@dataclass(slots=True)
class IncidentLister:
    """Answers list queries over one workspace's store."""

    store: WorkspaceStore
    _results: OrderedDict[str, tuple[int, list[Rendered], list[str]]] = field(default_factory=OrderedDict)
    _places: dict[str, str | None] = field(default_factory=dict)

    def page(self, parameters: Parameters, query_text: str) -> Page:
        """The page that the parameters ask for; `query_text` (without paging) tells queries apart.

        Raises VendorError (422) for a bad value and for an `after` that was never an incident of this workspace.
        """
        paging = parameters.paging()
        query = parse_query(parameters, self.store.workspace)
        rows, ids = self._rows(query, query_text)
        newest_first = query.sort_by == NEWEST_FIRST
        after = self._place(paging)
        if newest_first:
            end = len(rows) if after is None else bisect_left(ids, after)
            start = max(0, end - paging.size)
            shown: Sequence[Rendered] = rows[start:end][::-1]
        else:
            start = 0 if after is None else bisect_right(ids, after)
            shown = rows[start : start + paging.size]
        full = len(shown) == paging.size
        return Page(shown, paging.size, shown[-1].incident.id if full else None, len(rows))

    def cursor_to_the_same_place(self, after: str | None) -> str:
        """A new cursor that leads where `after` leads (None: to the first row)."""
        cursor = base32(secrets.randbits(130), 26)
        self._places[cursor] = self._places.get(after, after) if after is not None else None
        return cursor

    def _place(self, paging: Paging) -> str | None:
        after = paging.after
        if after in self._places:
            after = self._places[after]
        if after is not None and not self.store.knows(after):
            raise invalid_value("after", f"after: {after!r} is not the id of an incident")
        return after

    def _rows(self, query: IncidentQuery, query_text: str) -> tuple[list[Rendered], list[str]]:
        kept = self._results.get(query_text)
        if kept is not None and kept[0] == self.store.version:
            self._results.move_to_end(query_text)
            return kept[1], kept[2]
        rows = [row for row in self.store.visible() if query.predicate(row)]
        ids = [row.incident.id for row in rows]
        self._results[query_text] = (self.store.version, rows, ids)
        self._results.move_to_end(query_text)
        while len(self._results) > _KEPT_RESULTS:
            self._results.popitem(last=False)
        return rows, ids
