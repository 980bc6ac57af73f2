"""`python -m shared.operate.pseudonyms SOURCE [NAME …]`: what names become in a source that hides personal values.

With names: a pseudonym a line. Without: a list of accounts on standard input (CSV with a column `account`, as dbt's
seed_engineer_accounts), which is written with the pseudonyms of its accounts. Names on the command line are seen by
whoever sees this machine's processes, and stay in the shell's history.
"""

import argparse
import csv
import sys
from typing import TextIO

from shared import wiring
from shared.errors import ConfigurationError, PipelineError
from shared.extract.pseudonyms import Pseudonyms, pseudonyms_of
from shared.ports import Secrets
from shared.registry import Registry, registry


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.operate.pseudonyms", description=__doc__)
    parser.add_argument("source")
    parser.add_argument("names", nargs="*", metavar="NAME")
    chosen = parser.parse_args(arguments)
    try:
        pseudonyms = pseudonyms_in(registry(), chosen.source, wiring.secrets())
        if chosen.names:
            print(*map(pseudonyms.of, chosen.names), sep="\n")
        else:
            rewrite_accounts(pseudonyms, sys.stdin, sys.stdout)
    except PipelineError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def pseudonyms_in(known: Registry, source_name: str, secrets: Secrets) -> Pseudonyms:
    """A source's pseudonyms. Raises UnknownSource; ConfigurationError when it hides nothing, or its key is unfit."""
    source = known.source(source_name)
    if source.pseudonymise is None:
        raise ConfigurationError(
            [f"source {source.name} has no block `pseudonymise` in the registry; it hides nothing"]
        )
    return pseudonyms_of(source, source.pseudonymise, secrets)


def rewrite_accounts(pseudonyms: Pseudonyms, accounts: TextIO, target: TextIO) -> None:
    """Write the list with pseudonyms in its column `account`, a row once. Raises ConfigurationError without one."""
    reader = csv.DictReader(accounts)
    columns = list(reader.fieldnames or ())
    if "account" not in columns:
        raise ConfigurationError(["the list of accounts has no column `account` in its first line"])
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    rows = ({**row, "account": pseudonyms.of(row["account"] or "")} for row in reader)
    # spellings that differ in case or padding only have one pseudonym
    writer.writerows(dict.fromkeys(tuple(row[column] for column in columns) for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
