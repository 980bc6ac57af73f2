"""The runbooks speak of what exists: targets, commands and their options, log events, other pages."""

import re
import shlex
from pathlib import Path

import pytest

from shared.operate.__main__ import parser

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
CODE = "\n".join(
    path.read_text() for folder in ("shared", "functions", "dbt") for path in (ROOT / folder).rglob("*.py")
)


def _made(page: Path) -> list[str]:
    """The commands of the page, without their comments."""
    told = re.findall(r"^(make [^\n#|]*)", page.read_text(), re.MULTILINE)
    return [*told, *re.findall(r"`(make [^`]+)`", page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_every_command_of_a_runbook_exists(page: Path) -> None:
    """Down to the options: what the command line takes is asked."""
    for command in _made(page):
        _, target, *rest = shlex.split(command)
        assert target in TARGETS, command
        values = dict(part.split("=", 1) for part in rest)
        assert set(values) <= {"ARGS", "SOURCE", "WINDOW", "NAME", "FROM", "TO", "PIPELINE", "Q"}, command
        given = [v for name in ("SOURCE", "NAME", "WINDOW", "FROM", "TO") if (v := values.get(name))]
        if target in ("status", "replay", "backfill", "builds", "quarantine", "dead-letters", "doctor"):
            arguments = shlex.split(values.get("ARGS", "list" if target in ("quarantine", "dead-letters") else ""))
            parser().parse_args([target, *given, *arguments])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_every_event_and_page_that_a_runbook_names_exists(page: Path) -> None:
    text = page.read_text()
    steps = "sweep|extract|load|window|dbt|run|message"
    for event in re.findall(rf"`((?:{steps})\.[a-z_]+)`", text):
        literal = f'"{event}"' in CODE or (event.startswith("window.closed_") and '"window.closed_{' in CODE)
        assert literal, event
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (page.parent / link).exists(), link


def test_there_are_runbooks() -> None:
    """And the first page leads to each."""
    index = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    assert len(PAGES) == 8
    assert [page.name for page in PAGES if page.name not in index] == ["README.md"]
