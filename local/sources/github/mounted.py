"""GitHub as a family of the common server."""

from __future__ import annotations

from datetime import datetime

from local.sources.github.api import Github
from local.sources.github.paths import GITHUB, LISTS, SECRET
from local.sources.github.world import GithubWorld
from local.sources.kit.family import Family, OpenedDouble, Surroundings


def github_family(start: datetime) -> Family:
    """An organisation whose work began at `start`, a UTC midnight."""

    def open_double(surroundings: Surroundings) -> OpenedDouble:
        return Github(surroundings, GithubWorld(surroundings.seed, start)).opened()

    return Family(GITHUB, (SECRET,), LISTS, open_double)
