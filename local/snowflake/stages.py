"""External stages and their files: `gcs://bucket/path` is a directory.

Gap: fakesnow hands the URL to DuckDB, which cannot read `gcs://`; it does not see subdirectories, has no PATTERN, and
a named file that is missing is another error than Snowflake's. The stage keeps the URL it was created with; the
directory is looked up at each use, so the files may move between runs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from fakesnow.expr import normalise_ident
from fakesnow.transforms.stage import internal_dir

from local.snowflake.errors import FILE_NOT_FOUND, sql_error, unsupported
from local.snowflake.names import QualifiedName

_PART = re.compile(r'"(?:[^"]|"")*"|[^."/]+')


@dataclass(frozen=True)
class StagedFile:
    """One file: where it is, and what Snowflake calls it."""

    path: Path
    url: str
    object_name: str  # METADATA$FILENAME: the path without the bucket


@dataclass(frozen=True)
class Location:
    """A stage or a URL with a path: everything below `prefix` in one directory."""

    root: Path
    root_url: str
    prefix: str

    def named(self, files: Sequence[str]) -> list[StagedFile]:
        """The files of FILES=(…). Raises Snowflake's error for the first that is not there."""
        base = self.prefix if not self.prefix or self.prefix.endswith("/") else f"{self.prefix}/"
        return [self._existing(base + name) for name in files]

    def _existing(self, key: str) -> StagedFile:
        file = self._file(key)
        if not file.path.resolve().is_relative_to(self.root.resolve()) or not file.path.is_file():
            raise sql_error(FILE_NOT_FOUND, f"Remote file '{file.url}' was not found.", "22000")
        return file

    def matching(self, pattern: str | None) -> list[StagedFile]:
        """Every file whose name starts with the prefix, in name order; PATTERN must match all that follows it."""
        regex = re.compile(pattern) if pattern else None
        directory = self.root / self.prefix.rpartition("/")[0]
        found = []
        for path in sorted(directory.rglob("*")) if directory.is_dir() else []:
            key = path.relative_to(self.root).as_posix()
            if path.is_file() and key.startswith(self.prefix):
                rest = key[len(self.prefix) :].lstrip("/")
                if regex is None or regex.fullmatch(rest):
                    found.append(self._file(key))
        return found

    def _file(self, key: str) -> StagedFile:
        bucket_path = self.root_url.partition("://")[2].partition("/")[2]
        name = f"{bucket_path.rstrip('/')}/{key}".lstrip("/")
        return StagedFile(self.root / key, f"{self.root_url.rstrip('/')}/{key}", name)


class StageRoots:
    """Which directory stands for which bucket, from `--stage-root gcs://bucket=DIR`."""

    def __init__(self, roots: dict[str, Path]) -> None:
        self._roots = {url.rstrip("/"): path for url, path in roots.items()}

    def locate(
        self, source: str, duck: duckdb.DuckDBPyConnection, database: str | None, schema: str | None
    ) -> Location:
        """What COPY or LIST reads: `@stage/path` or a URL. Raises if the stage or its bucket's directory is unknown."""
        if not source.startswith("@"):
            return self._url(source)
        name, path = _split(source[1:], database, schema)
        row = duck.execute(
            "SELECT url FROM _fs_global._fs_information_schema._fs_stages "
            "WHERE database_name = ? AND schema_name = ? AND name = ?",
            [name.database, name.schema, name.name],
        ).fetchone()
        if row is None:
            raise sql_error(2003, f"SQL compilation error:\nStage '{name}' does not exist or not authorized.", "02000")
        if not row[0]:
            directory = Path(internal_dir(str(name)))
            return Location(directory, directory.as_uri(), path)
        url = row[0].rstrip("/")
        return self._url(f"{url}/{path}")

    def _url(self, url: str) -> Location:
        for root_url, directory in self._roots.items():
            if url == root_url or url.startswith(f"{root_url}/"):
                return Location(directory, root_url, url[len(root_url) :].lstrip("/"))
        if url.startswith("file://"):
            return Location(Path("/"), "file://", url.removeprefix("file://").lstrip("/"))
        raise unsupported(f"{url}: start it with --stage-root <bucket URL>=<directory> to say where its files are")


def _split(reference: str, database: str | None, schema: str | None) -> tuple[QualifiedName, str]:
    """`db.schema.stage/path` → the stage's name and the path."""
    parts, position = [], 0
    while match := _PART.match(reference, position):
        parts.append(normalise_ident(match[0]))
        position = match.end()
        if not reference.startswith(".", position):
            break
        position += 1
    path = reference[position:].lstrip("/")
    qualifiers = [database, schema]
    full = [*qualifiers[: 3 - len(parts)], *parts]
    if len(full) != 3 or not all(full):
        raise sql_error(90105, f"stage '@{reference}' needs a current database and schema, or a full name", "22000")
    return QualifiedName(str(full[0]), str(full[1]), str(full[2])), path
