"""Listing objects: prefix, delimiter, offsets, glob and pages, by name in UTF-8 order."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping

from local.gcs.errors import ApiError
from local.gcs.objects import Objects
from local.gcs.preconditions import query_int
from local.gcs.resources import Resource

_PAGE_MAX = 1000


def glob_pattern(glob: str) -> re.Pattern[str]:
    """`matchGlob` as a regular expression: `**` crosses slashes, `*` and `?` do not, `{a,b}` chooses."""
    out, depth = "", 0
    for part in re.split(r"(\*\*|[*?{},])", glob):
        depth += (part == "{") - (part == "}")
        fixed = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
        out += fixed.get(part) or ("|" if part == "," and depth else re.escape(part))
    try:
        return re.compile(out, re.DOTALL)
    except re.error:
        raise ApiError(400, f"Invalid matchGlob: '{glob}'") from None


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(400, f"Invalid page token: '{token}'") from None


def _entries(objects: Objects, bucket: str, query: Mapping[str, str], past: str) -> Iterator[tuple[str, str, str]]:
    """(name, group or "", resource text) of what matches; a group is a prefix that ends with the delimiter."""
    prefix, delimiter, end = query.get("prefix", ""), query.get("delimiter", ""), query.get("endOffset")
    glob = glob_pattern(query["matchGlob"]) if "matchGlob" in query else None
    for name, text in objects.after(bucket, max(query.get("startOffset", ""), prefix), past):
        if not name.startswith(prefix) or (end and name >= end):
            return
        if glob and not glob.fullmatch(name):
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        yield name, name[: cut + len(delimiter)] if cut >= 0 else "", text


def list_page(objects: Objects, bucket: str, query: Mapping[str, str]) -> Resource:
    """One page of a bucket's objects; ApiError 400 for a bad parameter. The bucket must exist."""
    limit = min(query_int(query, "maxResults") or _PAGE_MAX, _PAGE_MAX)
    past = _from_token(query["pageToken"]) if "pageToken" in query else ""
    items: list[Resource] = []
    prefixes: list[str] = []
    page: Resource = {"kind": "storage#objects", "items": items, "prefixes": prefixes}
    last = past
    for name, group, text in _entries(objects, bucket, query, past):
        told = group and (past.startswith(group) or (prefixes and prefixes[-1] == group))
        if not told:
            if len(items) + len(prefixes) == limit:
                return page | {"nextPageToken": _token(last)}
            if group:
                prefixes.append(group)
            else:
                items.append(json.loads(text))
        last = name
    return page
