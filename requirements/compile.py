"""Compiles every *.in here: pinned, hashed, for every platform and Python from 3.11 on, without index addresses.

The lock of everything (dev.txt) comes first; the deployed parts are compiled with it as constraint, so that what is
tested is what is deployed.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
TARGETS = {
    HERE / "extract.in": ROOT / "functions/extract/requirements.txt",
    HERE / "load.in": ROOT / "functions/load/requirements.txt",
    HERE / "sweep.in": ROOT / "functions/sweep/requirements.txt",
    HERE / "webhook.in": ROOT / "functions/webhook/requirements.txt",
    HERE / "dbt.in": ROOT / "dbt/requirements.txt",
}
OPTIONS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--quiet"),
)


def compile_lock(source: Path, target: Path, *constraints: str) -> None:
    """Compile one file, keeping the versions that the target names already."""
    uv = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *constraints]
    subprocess.run([*uv, str(source), "-o", str(target)], check=True)  # noqa: S603 - uv, with our own files


if __name__ == "__main__":
    compile_lock(HERE / "install.in", HERE / "install.txt")
    compile_lock(HERE / "dev.in", HERE / "dev.txt")
    for each, lock in TARGETS.items():
        compile_lock(each, lock, "--constraint", str(HERE / "dev.txt"))
