"""Pull requests, repository by repository, those that changed last first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from msgspec import Struct

from shared.contracts.github_pull_requests import GITHUB_PULL_REQUESTS
from shared.extract.pages import PageFlow, PageRequest, PageSeen, content_of, newest_first, relabelled
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.github import GithubSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.github.listing import list_page, list_pages
from shared.sources.record import Identifier, Instant, decoded, known_fields
from shared.sources.settings import typed_settings
from shared.sources.table import Row, Table

_LAST_CHANGED_FIRST = (("state", "all"), ("sort", "updated"), ("direction", "desc"))
# The list knows no "since": it is read down to where the range begins.


class _User(Struct, frozen=True):
    id: int
    login: Identifier
    type: str | None = None


class _Label(Struct, frozen=True):
    name: str


class _Repository(Struct, frozen=True):
    full_name: str


class _Branch(Struct, frozen=True):
    ref: str | None = None
    repo: _Repository | None = None


class _PullRequest(Struct, frozen=True):
    id: int
    number: int
    title: str
    state: str
    created_at: Instant
    updated_at: Instant
    user: _User | None = None
    draft: bool | None = None
    closed_at: Instant | None = None
    merged_at: Instant | None = None
    labels: list[_Label] = []
    head: _Branch = _Branch()
    base: _Branch = _Branch()
    author_association: str | None = None
    html_url: str | None = None


class _Changed(Struct, frozen=True):
    updated_at: Instant


_FIELDS = known_fields(
    _PullRequest,
    *("node_id", "url", "diff_url", "patch_url", "issue_url", "commits_url", "review_comments_url", "comments_url"),
    *("review_comment_url", "statuses_url", "_links", "locked", "active_lock_reason", "body", "milestone", "assignee"),
    *("assignees", "requested_reviewers", "requested_teams", "merge_commit_sha", "auto_merge"),
)

_changed = msgspec.json.Decoder(_Changed)


class PullRequests:
    """`GET /repos/{owner}/{repo}/pulls`."""

    def pages(self, source: Source, extraction: ExtractionRange, resume: str) -> PageFlow:
        """Each repository down to where the range begins; all of it in a full one.

        What changes while it is read moves to the front and others a place back: they come twice. What moves before it
        was read is newer than the window, and read with the next.
        """
        settings = typed_settings(GithubSettings, source)
        repositories = list(settings.repositories)
        number, _, repository = resume.partition(" ")
        if repository in repositories:
            repositories = repositories[repositories.index(repository) :]
        else:
            number = ""
        for name in repositories:
            path = f"/repos/{settings.organisation}/{name}/pulls"
            listing = list_pages(source, path, _LAST_CHANGED_FIRST, first=int(number or 1))
            number = ""
            yield from _marked(listing if extraction.full else newest_first(listing, extraction.start), name)

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """An array, and what the oldest of its pull requests is: the reading ends there or goes on."""
        records, following = list_page(response)
        seen = PageSeen(len(records), following, content=content_of(records), oldest=_oldest(records))
        if records and seen.oldest is None:
            raise UnusableBody("no pull request of the page tells when it changed")
        return RawPage(records, seen, {"repository": request.path.split("/")[3]})

    def rows(
        self, source: Source, pages: Sequence[RawPage], _scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """Pull requests as rows."""
        organisation = typed_settings(GithubSettings, source).organisation
        table = Table(GITHUB_PULL_REQUESTS, extraction)
        for page in pages:
            repository = page.context["repository"]

            def convert(record: bytes, payload: str, repository: str = repository) -> Iterable[Row]:
                yield _row(decoded(_PullRequest, record), payload, organisation, repository)

            table.add_pages((page,), convert, _FIELDS)
        return table.rows()


def _marked(flow: PageFlow, repository: str) -> PageFlow:
    """The flow's requests, each with the repository in its `resume`."""
    return relabelled(flow, lambda request: replace(request, resume=f"{request.resume} {repository}"))


def _oldest(records: Sequence[bytes]) -> datetime | None:
    oldest: datetime | None = None
    for record in records:
        try:
            changed = _changed.decode(record).updated_at
        except (msgspec.DecodeError, RecursionError):
            continue  # rejected later; the others tell
        oldest = changed if oldest is None else min(changed, oldest)
    return oldest


def _row(pull: _PullRequest, payload: str, organisation: str, repository: str) -> Row:
    author = pull.user
    values = {
        "pull_request_id": pull.id,
        "organisation": organisation,
        "repository": repository,
        "number": pull.number,
        "title": pull.title,
        "state": pull.state,
        "is_draft": pull.draft,
        "author_id": author.id if author else None,
        "author_login": author.login if author else None,
        "author_type": author.type if author else None,
        "author_association": pull.author_association,
        "base_ref": pull.base.ref,
        "head_repository": pull.head.repo.full_name if pull.head.repo else None,
        "labels": [label.name for label in pull.labels],
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "url": pull.html_url,
    }
    return Row(values, payload, _flags(pull))


def _flags(pull: _PullRequest) -> list[str]:
    flags = []
    if pull.closed_at is not None and pull.closed_at < pull.created_at:
        flags.append("closed_before_created")
    if pull.merged_at is not None and pull.merged_at < pull.created_at:
        flags.append("merged_before_created")
    return flags
