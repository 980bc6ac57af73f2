"""What the doubles can be told to do wrong: a list of rules, each for some requests and some number of times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from local.sources.kit.instants import Instant
from local.sources.kit.paths import fits

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
_ENDS_THE_REQUEST: frozenset[Action] = frozenset({"status", "html"})


@dataclass(frozen=True, slots=True)
class ListPaths:
    """A family's lists: those with records to corrupt, those with a cursor, those that can grow while read."""

    records: tuple[str, ...] = ()
    paged: tuple[str, ...] = ()
    growing: tuple[str, ...] = ()

    def for_action(self, action: Action) -> tuple[str, ...] | None:
        """The paths that an action can act on; None = every path."""
        if action == "corrupt_record":
            return self.records
        if action in {"loop_cursor", "empty_page_with_cursor"}:
            return self.paged
        return self.growing if action == "insert_rows" else None


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault. Without `family`, `workspace` or `path` it meets each of them (a path `…*` = everything below).

    `workspace` is whose key was sent: a workspace of incident.io, else the reference of the secret. `path` is the
    vendor's own, without the family's prefix.

    It lets `skip` matching requests pass, then acts `times` times, or `always`. `record` maps field paths
    (`incident_status.rank`, `custom_field_entries.0.values`) to what is put there in row `index` of the page: a JSON
    value, `{"$raw": text}` for bytes that JSON doesn't know (`NaN`, a lone surrogate, a key twice), `{"$length": n}`
    for a text of that length, `{"$absent": true}` to leave the field out.
    """

    action: Action
    family: str | None = None
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

    def objection(self, families: Mapping[str, ListPaths]) -> str | None:
        """Why the rule can't act in any of the families, or None."""
        if self.family is not None and self.family not in families:
            return f"there is no family {self.family!r}; there are {', '.join(sorted(families))}"
        if self.action == "status" and self.status is None:
            return "`status` needs the status to answer with"
        if self.action == "corrupt_record" and not self.record:
            return "`corrupt_record` needs a `record`"
        possible: list[str] = []
        for name in families if self.family is None else (self.family,):
            lists = families[name].for_action(self.action)
            if lists is None:
                return None
            possible += lists
        if not any(self.path in {None, path} or fits(path, self.path or "") for path in possible):
            return f"`{self.action}` acts on {', '.join(possible) or 'nothing there'} only"
        return None

    def meets(self, family: str, workspace: str, path: str, lists: ListPaths) -> bool:
        """Whether the rule is for this request."""
        if self.family not in {None, family} or self.workspace not in {None, workspace}:
            return False
        possible = lists.for_action(self.action)
        if possible is not None and not any(fits(listed, path) for listed in possible):
            return False
        return self.path is None or fits(self.path, path)


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
    """The rules in force, in the order given. `version` moves whenever they are replaced."""

    families: Mapping[str, ListPaths]
    version: int = 0
    _armed: list[_Armed] = field(default_factory=list)

    def arm(self, rules: Sequence[FaultRule]) -> None:
        """Replace all rules. ValueError naming every rule that can't act."""
        objections = [f"rule {n}: {why}" for n, rule in enumerate(rules) if (why := rule.objection(self.families))]
        if objections:
            raise ValueError("; ".join(objections))
        self._armed = [_Armed(rule) for rule in rules]
        self.version += 1

    def clear(self) -> None:
        """Behave."""
        self.arm(())

    def rules(self) -> list[FaultRule]:
        """The rules in force."""
        return [armed.rule for armed in self._armed]

    def take(self, family: str, workspace: str, path: str) -> list[FaultRule]:
        """The rules that act on this request, each counted; none after one that ends the request."""
        acting: list[FaultRule] = []
        for armed in self._armed:
            if armed.rule.meets(family, workspace, path, self.families[family]) and armed.acts():
                acting.append(armed.rule)
                if armed.rule.action in _ENDS_THE_REQUEST:
                    break
        return acting
