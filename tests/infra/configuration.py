"""The Terraform configuration as text, and the data files that it reads: what can be told of it without Terraform."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "infra" / "terraform"


def text_of(name: str) -> str:
    """A file of the configuration, without its comments."""
    return "\n".join(_without_comment(line) for line in (TERRAFORM / name).read_text().splitlines()) + "\n"


def _without_comment(line: str) -> str:
    marks = (at for at, char in enumerate(line) if char == "#" and line.count('"', 0, at) % 2 == 0)
    return line[: next(marks, len(line))]


def everything() -> dict[str, str]:
    """Every file of the configuration by its path, without comments; tests and examples are none of it."""
    paths = [*TERRAFORM.glob("*.tf"), *TERRAFORM.glob("modules/*/*.tf")]
    return {str(path.relative_to(TERRAFORM)): text_of(str(path.relative_to(TERRAFORM))) for path in sorted(paths)}


def block(text: str, head: str) -> str:
    """The text between the braces of the block that begins with `head`."""
    start = text.index("{", text.index(head) + len(head) - (head.endswith("{")))
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1 : at]
    raise ValueError(f"{head} is not closed")


def argument(text: str, name: str) -> str:
    """The literal text that an argument is set to."""
    found = re.search(rf'(?m)^\s*{name}\s*=\s*"([^"\n]*)"', text)
    assert found, f"{name} is not set to a text"
    return found[1]


def names_in(text: str) -> set[str]:
    """The keys on the first level of a block's text."""
    outside, depth = [], 0
    for char in text:
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(char, 0)
        outside.append(char if depth == 0 else " ")
    return set(re.findall(r'(?m)(?:^|,)\s*"?([A-Za-z0-9_]+)"?\s*=', "".join(outside)))


def data(name: str) -> dict[str, Any]:
    """A YAML file that the configuration reads."""
    content = yaml.safe_load((TERRAFORM / name).read_text())
    assert isinstance(content, dict)
    return content


def packaged(archive: str) -> dict[str, Path]:
    """The files that an archive holds, by their names in it, as packages.tf puts them together."""
    packages = data("packages.yaml")
    if archive == "dbt":
        without = packages["dbt"]["without"]
        found = _matching(ROOT, packages["dbt"]["shared"])
        return {name: path for name, path in found.items() if not any(part in name for part in without)}
    own = _matching(ROOT / "functions" / archive, packages["functions"]["own"])
    return {**_matching(ROOT, packages["functions"]["shared"]), **own}


def _matching(folder: Path, patterns: list[str]) -> dict[str, Path]:
    found = [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
    return {str(path.relative_to(folder)): path for path in sorted(found)}
