"""Rows and rejected records of a source that hides personal values: what is landed, and what goes to quarantine.

Between a family and the part, in one place for all families. What is hidden:
- the contract's personal columns, and text columns that the source's list names;
- in the payload what stands under the keys of either, and the same values wherever else they stand;
- the same values inside other text columns, and every e-mail address.
A payload or rejected record that cannot be searched is withheld: better none than one that may tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from shared import logs
from shared.contracts.contract import Column, Contract, Kind
from shared.extract.personal_texts import FieldNames, Occurrences, Undecodable, decoded, personal_texts, redacted
from shared.extract.pseudonyms import Pseudonyms, pseudonyms_of
from shared.ports import Secrets
from shared.registry.model import Source
from shared.sources.family import Rejection, Rows
from shared.sources.personal_fields import personal_fields

WITHHELD_DETAIL = "withheld together with the record"
_NO_NAMES = FieldNames(())


class Redaction:
    """What one source's rows and rejections go through.

    `known` are the keys of the contract's personal columns in this family's records, `listed` those that the source
    adds.
    """

    def __init__(
        self, contract: Contract, pseudonyms: Pseudonyms, known: Sequence[str] = (), listed: Sequence[str] = ()
    ) -> None:
        self._pseudonyms = pseudonyms
        self._names, self._listed = FieldNames((*known, *listed)), FieldNames(listed)
        relied_on = {*contract.keys, contract.version, contract.anchor, contract.cluster_by}
        relied_on |= {name for name in (contract.scope, contract.digest) if name is not None}
        self._personal = [c for c in contract.columns if c.pii or (_is_listed(c, listed) and c.name not in relied_on)]
        self._keys = {column.name for column in self._personal if column.name in contract.keys}
        hidden = {"payload", *relied_on, *(column.name for column in self._personal)}
        self._others = [c for c in contract.columns if c.kind in (Kind.TEXT, Kind.JSON) and c.name not in hidden]

    def rows(self, rows: Rows) -> Rows:
        """The rows without personal values, the rejections as `rejection` makes them."""
        rejections = [self.rejection(rejection) for rejection in rows.rejections]
        if not rows.count:
            return replace(rows, rejections=rejections)
        columns: dict[str, list[Any]] = {name: list(values) for name, values in rows.columns.items()}
        withheld = sum(not self._redact(columns, number) for number in range(rows.count))
        if withheld:
            logs.warning(
                "extract.payloads_withheld", records=withheld, message="they cannot be searched for what to hide"
            )
        return replace(rows, columns=columns, rejections=rejections)

    def rejection(self, rejection: Rejection) -> Rejection:
        """The rejection with personal values hidden in the record and in what is said of it."""
        try:
            record = decoded(rejection.record)
            if not isinstance(record, dict):
                raise Undecodable("no object: it has no keys to go by")  # noqa: TRY301 - one way out for all
            found = Occurrences(personal_texts(record, self._names), self._pseudonyms.of)
            shown = redacted(record, self._names, found, self._pseudonyms.of)
        except Undecodable as exc:
            note = {"withheld": f"not searchable for personal values: {exc}", "bytes": len(rejection.record)}
            return Rejection(rejection.reason, WITHHELD_DETAIL, msgspec.json.encode(note))
        return Rejection(rejection.reason, found.replaced(rejection.detail), msgspec.json.encode(shown))

    def _redact(self, columns: Mapping[str, list[Any]], number: int) -> bool:
        """Hide the personal values of one row, in place; tells whether its payload could be searched."""
        own = [(column.name, columns[column.name][number]) for column in self._personal]
        told = {text for _, text in own if isinstance(text, str)}
        of, payload = self._pseudonyms.of, columns.get("payload")
        searchable = True
        if payload is not None:
            try:
                document = decoded(payload[number])
                listed = personal_texts(document, self._listed)
                in_payload = Occurrences(told | personal_texts(document, self._names), of)
                payload[number] = msgspec.json.encode(redacted(document, self._names, in_payload, of))
                told |= listed
            except Undecodable as exc:
                payload[number] = msgspec.json.encode({"withheld": f"not searchable for personal values: {exc}"})
                searchable = False
        self._redact_others(columns, number, Occurrences(told, of))
        for name, value in own:
            if isinstance(value, str):
                columns[name][number] = (self._pseudonyms.spelled if name in self._keys else of)(value)
        return searchable

    def _redact_others(self, columns: Mapping[str, list[Any]], number: int, found: Occurrences) -> None:
        for column in self._others:
            value = columns[column.name][number]
            if not isinstance(value, str):
                continue
            if column.kind is Kind.JSON:
                columns[column.name][number] = self._redacted_json(value, found)
            # a word that happens to be somebody's name, a kind of actor say, means what the column means
            elif not found.is_one(value):
                columns[column.name][number] = redacted(value, self._names, found, self._pseudonyms.of)

    def _redacted_json(self, text: str, found: Occurrences) -> str:
        try:
            shown = redacted(decoded(text), _NO_NAMES, found, self._pseudonyms.of)
        except Undecodable as exc:
            shown = {"withheld": f"not searchable for personal values: {exc}"}
        return msgspec.json.encode(shown).decode()


def redaction_of(source: Source, contract: Contract, secrets: Secrets) -> Redaction | None:
    """What the source's block asks for; None when it asks for nothing.

    Raises ConfigurationError when the key is missing or unfit, or the family's personal keys are not known.
    """
    chosen = source.pseudonymise
    if chosen is None:
        return None
    known = personal_fields(source, contract)
    return Redaction(contract, pseudonyms_of(source, chosen, secrets), known, chosen.fields)


def _is_listed(column: Column, listed: Sequence[str]) -> bool:
    return column.kind is Kind.TEXT and column.name in listed
