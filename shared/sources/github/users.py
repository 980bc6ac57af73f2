"""The organisation's people: its teams, who is in each, and the profile of everybody, read as one whole.

A team tells its members of now and nothing of before; who wants the history looks every day and compares.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from msgspec import Struct

from shared.contracts.github_users import GITHUB_USERS
from shared.extract.pages import (
    PageFlow,
    PageRequest,
    PageSeen,
    content_of,
    gathered_links,
    one_page,
    within_scope,
)
from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse
from shared.registry.github import GithubSettings
from shared.registry.model import Source
from shared.sources.family import ExtractionRange, RawPage, Rows
from shared.sources.github.listing import list_page, list_pages
from shared.sources.record import Identifier, Instant, Refused, decoded, known_fields
from shared.sources.settings import typed_settings
from shared.sources.table import Row, Table

T = TypeVar("T")

_TEAMS, _MEMBERS, _PROFILE = "teams", "members", "profile"


class _Team(Struct, frozen=True):
    slug: Identifier
    name: str


class _Member(Struct, frozen=True):
    login: Identifier


class _Profile(Struct, frozen=True):
    id: int
    login: Identifier
    created_at: Instant
    updated_at: Instant
    name: str | None = None
    email: str | None = None
    type: str | None = None


_FIELDS = known_fields(
    _Profile,
    *("node_id", "avatar_url", "gravatar_id", "url", "html_url", "followers_url", "following_url", "gists_url"),
    *("starred_url", "subscriptions_url", "organizations_url", "repos_url", "events_url", "received_events_url"),
    *("site_admin", "user_view_type", "company", "blog", "location", "hireable", "bio", "twitter_username"),
    *("public_repos", "public_gists", "followers", "following", "notification_email"),
)


class Users:
    """`GET /orgs/{org}/teams`, `…/teams/{slug}/members`, `GET /users/{login}`."""

    def pages(self, source: Source, _extraction: ExtractionRange, _resume: str) -> PageFlow:
        """Everything as one scope: whoever is in none of it is gone."""
        organisation = typed_settings(GithubSettings, source).organisation
        return within_scope(_everything(source, organisation), (organisation,), "")

    def split(self, _source: Source, request: PageRequest, response: HttpResponse) -> RawPage:
        """A page of teams or members, with links to go on from, or a profile; none for what is gone meanwhile.

        Raises UnusableBody for a team or member that cannot be read, and for no team at all, which is what a key is
        shown that may not see them: people would seem to have left.
        """
        _, first, *rest = request.path.split("/")
        if response.status == 404:
            return RawPage([], PageSeen(0), {"what": _MEMBERS, "team": ""})
        if first == "users":
            return RawPage([response.body], PageSeen(1), {"what": _PROFILE})
        records, following = list_page(response)
        context: dict[str, str] = {"what": _TEAMS}
        if rest[-1] == "teams":
            links = tuple(_read(_Team, record).slug for record in records)
            if not links and following is None and dict(request.query)["page"] == "1":
                raise UnusableBody("an organisation without a single team; the key needs the right to read them")
        else:
            links = tuple(_read(_Member, record).login for record in records)
            context = {"what": _MEMBERS, "team": unquote(rest[2])}
        return RawPage(records, PageSeen(len(records), following, links, content_of(records)), context)

    def rows(
        self, _source: Source, pages: Sequence[RawPage], scope: Sequence[str], extraction: ExtractionRange
    ) -> Rows:
        """A row a person. A profile that is rejected leaves the whole unclaimed: its row is not taken for gone."""
        table, teams = Table(GITHUB_USERS, extraction), _teams(pages)

        def convert(record: bytes, payload: str) -> Iterable[Row]:
            profile = decoded(_Profile, record)
            theirs = teams.get(profile.login.lower(), {})
            values = {
                "organisation": scope[0],
                "user_id": profile.id,
                "login": profile.login,
                "name": profile.name,
                "email": profile.email,
                "user_type": profile.type,
                "teams": [{"slug": slug, "name": name} for slug, name in sorted(theirs.items())],
                "team_slugs": ",".join(sorted(theirs)),
                "created_at": profile.created_at,
                "updated_at": profile.updated_at,
            }
            yield Row(values, payload)

        table.add_pages((page for page in pages if page.context["what"] == _PROFILE), convert, _FIELDS)
        return table.rows()


def _everything(source: Source, organisation: str) -> PageFlow:
    path = f"/orgs/{organisation}/teams"
    slugs = yield from gathered_links(list_pages(source, path), "")
    logins: set[str] = set()
    for slug in dict.fromkeys(slugs):
        members = list_pages(source, f"{path}/{quote(slug, safe='')}/members", (("role", "all"),), missing_ok=True)
        logins.update((yield from gathered_links(members, "")))
    for login in sorted(logins):
        yield from one_page(PageRequest(f"/users/{quote(login, safe='')}", missing_ok=True))


def _teams(pages: Sequence[RawPage]) -> Mapping[str, Mapping[str, str]]:
    """Names of the teams by their slugs, by login in lower case: logins do not tell capitals apart."""
    names = {
        team.slug: team.name
        for page in pages
        if page.context["what"] == _TEAMS
        for team in (_read(_Team, record) for record in page.records)
    }
    teams: dict[str, dict[str, str]] = defaultdict(dict)
    for page in pages:
        if page.context["what"] == _MEMBERS:
            for record in page.records:
                slug = page.context["team"]
                teams[_read(_Member, record).login.lower()][slug] = names[slug]
    return teams


def _read(kind: type[T], record: bytes) -> T:
    try:
        return decoded(kind, record)
    except Refused as exc:
        raise UnusableBody(f"a team or member that cannot be read: {exc}") from exc
