"""The organisation as a whole: repositories, people, teams and pull requests, drawn from a seed day by day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from local.sources.ai_tools.engineers import ENGINEERS
from local.sources.github.people import Person, draw_people, draw_teams
from local.sources.github.pulls import Opening, Pull, draw_pull

REPOSITORIES = ("storefront", "platform", "mobile")
_SHARES = (5, 3, 2)
_WEEKDAY = (1.2, 1.3, 1.3, 1.2, 1.0, 0.15, 0.1)
_HOURS = (0,) * 7 + (1, 3, 7, 9, 8, 4, 7, 8, 8, 6, 3, 1, 1, 1, 0, 0, 0)
_DAY = timedelta(days=1)


class GithubWorld:
    """What the organisation ever did. Days are drawn when first asked for and kept; `start` is a UTC midnight."""

    def __init__(self, seed: int, start: datetime, *, people: int = ENGINEERS, pulls_a_day: float = 7.0) -> None:
        if start.astimezone(UTC) != start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0):
            raise ValueError(f"the world starts at a UTC midnight, not at {start}")
        self.start = start.astimezone(UTC)
        self.people = draw_people(seed, self.start, people)
        self.teams = draw_teams(seed, self.start, self.people)
        self._seed = seed
        self._pulls_a_day = pulls_a_day
        self._pulls: list[Pull] = []
        self._numbers: Counter[str] = Counter()
        self._drawn_until = self.start

    def person(self, login: str) -> Person | None:
        """The account of that name, deleted or not; names are not case-sensitive."""
        return next((person for person in self.people if person.login.lower() == login.lower()), None)

    def pulls(self, repository: str, now: datetime) -> list[Pull]:
        """Every pull request of a repository opened by `now`, oldest first."""
        while self._drawn_until <= now:
            self._draw_day(self._drawn_until)
            self._drawn_until += _DAY
        return [pull for pull in self._pulls if pull.repository == repository and pull.created_at <= now]

    def _draw_day(self, day: datetime) -> None:
        rng = Random(f"{self._seed}/github/{day.date().isoformat()}")
        mean = self._pulls_a_day * _WEEKDAY[day.weekday()]
        count = max(0, round(rng.gauss(mean, mean**0.5)))
        seconds = sorted({hour * 3600 + rng.randrange(3600) for hour in rng.choices(range(24), _HOURS, k=count)})
        for second in seconds:
            at = day + timedelta(seconds=second)
            there = [person for person in self.people if person.exists(at)]
            author = there[-1] if rng.random() < 0.12 else rng.choice(there[:-1])
            repository = rng.choices(REPOSITORIES, _SHARES)[0]
            # issues take numbers of the same series
            self._numbers[repository] += rng.choice((1, 1, 1, 2, 3))
            id_ = 1_900_000_000 + len(self._pulls) * 104_729
            opening = Opening(id_, repository, self._numbers[repository], author, at)
            self._pulls.append(draw_pull(self._seed, opening, there))
