"""What the double can be told to do wrong: a list of rules, each for some requests and some number of times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from local.sources.incident_io.archive import Instant

Action = Literal[
    "status",
    "cut_body",
    "html",
    "delay",
    "insert_rows",
    "loop_cursor",
    "empty_page_with_cursor",
    "corrupt_record",
]
LIST_PATH = "/v2/incidents"
_ONLY_THE_LIST: frozenset[Action] = frozenset(
    {"insert_rows", "loop_cursor", "empty_page_with_cursor", "corrupt_record"}
)
_ENDS_THE_REQUEST: frozenset[Action] = frozenset({"status", "html"})


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault. Without `workspace` or `path` it meets every workspace or every path (`…*` = everything below).

    It lets `skip` matching requests pass, then acts `times` times, or `always`. `record` maps field paths
    (`incident_status.rank`, `custom_field_entries.0.values`) to what is put there in row `index` of the page: a JSON
    value, `{"$raw": text}` for bytes that JSON doesn't know (`NaN`, a lone surrogate, a key twice), `{"$length": n}`
    for a text of that length, `{"$absent": true}` to leave the field out.
    """

    action: Action
    workspace: str | None = None
    path: str | None = None
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] | None = None
    retry_after: str | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    always: bool = False
    record: dict[str, Any] = {}
    index: Annotated[int, msgspec.Meta(ge=0)] = 0
    rows: Annotated[int, msgspec.Meta(ge=1)] = 1
    created_at: Instant | None = None

    def objection(self) -> str | None:
        """Why the rule can't act, or None."""
        if self.action == "status" and self.status is None:
            return "`status` needs the status to answer with"
        if self.action == "corrupt_record" and not self.record:
            return "`corrupt_record` needs a `record`"
        if self.action in _ONLY_THE_LIST and self.path not in {None, LIST_PATH}:
            return f"`{self.action}` acts on {LIST_PATH} only"
        return None

    def meets(self, workspace: str, path: str) -> bool:
        """Whether the rule is for this request."""
        wanted = LIST_PATH if self.action in _ONLY_THE_LIST else self.path
        if self.workspace not in {None, workspace}:
            return False
        if wanted is None or wanted == path:
            return True
        return wanted.endswith("*") and path.startswith(wanted[:-1])


@dataclass(slots=True)
class _Armed:
    rule: FaultRule
    met: int = 0

    def acts(self) -> bool:
        """Count a request that the rule meets, and say whether the rule acts on it."""
        self.met += 1
        turn = self.met - self.rule.skip
        return turn >= 1 and (self.rule.always or turn <= self.rule.times)


@dataclass(slots=True)
class FaultBoard:
    """The rules in force, in the order given."""

    _armed: list[_Armed] = field(default_factory=list)

    def arm(self, rules: Sequence[FaultRule]) -> None:
        """Replace all rules. ValueError naming every rule that can't act."""
        objections = [f"rule {n}: {why}" for n, rule in enumerate(rules) if (why := rule.objection())]
        if objections:
            raise ValueError("; ".join(objections))
        self._armed = [_Armed(rule) for rule in rules]

    def clear(self) -> None:
        """Behave."""
        self._armed = []

    def rules(self) -> list[FaultRule]:
        """The rules in force."""
        return [armed.rule for armed in self._armed]

    def take(self, workspace: str, path: str) -> list[FaultRule]:
        """The rules that act on this request, each counted; none after one that ends the request."""
        acting: list[FaultRule] = []
        for armed in self._armed:
            if armed.rule.meets(workspace, path) and armed.acts():
                acting.append(armed.rule)
                if armed.rule.action in _ENDS_THE_REQUEST:
                    break
        return acting


_MARK = "\ue000raw"
"""A private-use character, so that no real text can be taken for a placeholder."""


def corrupt(record: bytes, changes: dict[str, Any]) -> bytes:
    """The record's JSON with the changes put in (see FaultRule). ValueError for a path that leads nowhere."""
    decoded: Any = msgspec.json.decode(record)
    raws: list[str] = []
    for path, value in changes.items():
        _put(decoded, path, value, raws)
    text = msgspec.json.encode(decoded).decode()
    text = re.sub(f'"{_MARK}(\\d+)"', lambda match: raws[int(match[1])], text)
    return text.encode("utf-8", "surrogatepass")


def _put(decoded: Any, path: str, value: Any, raws: list[str]) -> None:
    *way, last = path.split(".")
    place = decoded
    for step in way:
        place = _step_into(place, step, path)
    if isinstance(value, dict) and value.get("$absent") is True:
        if isinstance(place, dict):
            place.pop(last, None)
            return
        raise ValueError(f"{path}: only a field of an object can be absent")
    if isinstance(value, dict) and "$raw" in value:
        raws.append(str(value["$raw"]))
        value = f"{_MARK}{len(raws) - 1}"
    elif isinstance(value, dict) and "$length" in value:
        value = "x" * int(value["$length"])
    if isinstance(place, dict):
        place[last] = value
    elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        place[int(last)] = value
    else:
        raise ValueError(f"{path}: nothing there to put {last!r} into")


def _step_into(place: Any, step: str, path: str) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    raise ValueError(f"{path}: there is no {step!r}")
