"""Parse the project for a target ahead of its jobs: `preparse.py prod`. The image is built with it."""

import json
import sys
import tempfile
from pathlib import Path

from shared.adapters.dbt_parse import keep_parse, kept_parse, parse
from shared.registry import registry
from shared.transform.dbt_inputs import dbt_vars, write_inputs

PROJECT = Path(__file__).parent

if __name__ == "__main__":
    target = sys.argv[1]
    write_inputs(PROJECT)
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            *("--quiet", "--no-write-json", "--log-level-file", "none", "parse", "--target-path", folder),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target),
            *("--vars", json.dumps(dbt_vars(registry()))),
        ]
        kept = kept_parse(PROJECT, target)
        parsed = parse(arguments, Path(folder), kept)
        if not parsed.success:
            sys.exit(f"dbt did not parse the project: {parsed.exception}")
        keep_parse(Path(folder), kept)
