"""The benchmarks run, and the page takes their table; how fast things are is not a test's to say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import MEASUREMENTS, PAGE
from tests.bench.children import ROOT
from tests.bench.report import BEGIN, END, Figure, as_markdown, write_table

FIGURES = [Figure("fast", "1 ms", "<= 2 ms", True), Figure("slow", "3 ms", "<= 2 ms", False), Figure("size", "4 MiB")]


def test_a_figure_says_whether_its_aim_is_met() -> None:
    """And nothing where there is no aim."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in as_markdown(FIGURES).splitlines()]
    assert rows[2:] == [
        ["fast", "1 ms", "<= 2 ms", "yes"],
        ["slow", "3 ms", "<= 2 ms", "no"],
        ["size", "4 MiB", "", ""],
    ]


def test_the_table_replaces_the_one_between_the_markers(tmp_path: Path) -> None:
    """What people wrote around it stays."""
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    write_table(page, FIGURES)
    write_table(page, FIGURES)
    text = page.read_text()
    assert text.startswith(f"# Before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert text.count("| slow") == 1
    assert "old" not in text


def test_a_page_without_markers_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n")
    with pytest.raises(ValueError, match="no markers"):
        write_table(page, FIGURES)
    assert page.read_text() == "# Before\n"


@pytest.mark.emulated
def test_every_measurement_runs_and_is_printed() -> None:
    """With little data; the page keeps the figures of the last full run."""
    before = PAGE.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for name in MEASUREMENTS:
        assert f"measuring {name} " in done.stderr
    for what in (
        "extract 10,000 incidents, gzip",
        "warm extract function",
        "webhook, write stubbed",
        "import functions/load",
        "load 100",
        "dbt merge",
    ):
        assert f"| {what}" in done.stdout
    assert PAGE.read_text() == before
