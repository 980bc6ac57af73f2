"""GitHub's lists by contract."""

from shared.sources.by_contract import ByContract
from shared.sources.github.pull_requests import PullRequests
from shared.sources.github.users import Users


class Github(ByContract):
    """Pull requests, and people with their teams."""

    def __init__(self) -> None:
        super().__init__({"github_pull_requests": PullRequests(), "github_users": Users()})
