"""Where GitHub answers, and which of its lists the faults can act on."""

from __future__ import annotations

from local.sources.kit.faults import ListPaths

GITHUB = "github"
SECRET = "github"  # noqa: S105 - the reference of a secret, not its value
PULLS = "/repos/{owner}/{repo}/pulls"
PULL = "/repos/{owner}/{repo}/pulls/{number}"
USER = "/users/{login}"
TEAMS = "/orgs/{org}/teams"
MEMBERS = "/orgs/{org}/teams/{slug}/members"
RATE_LIMIT = "/rate_limit"
LISTS = ListPaths(records=(PULLS, TEAMS, MEMBERS), paged=(PULLS, TEAMS, MEMBERS), growing=(PULLS,))
