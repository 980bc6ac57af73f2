"""Where the bytes lie: content files that never change, and a plain tree of hard links to them.

A content file gets its final name before the transaction that refers to it and is never written again, so a
crash leaves at most a file that nothing refers to; `recover` removes those. The plain tree
`buckets/<bucket>/<object name>` follows after the commit and is brought in line at start.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def plain_path(bucket: str, name: str) -> Path | None:
    """The object's path in the plain tree, relative; None for a name that is no safe relative path."""
    segments = name.split("/")
    if any(segment in ("", ".", "..") or "\0" in segment for segment in segments):
        return None
    return Path(bucket, *segments)


class ContentFiles:
    """The files under one data directory."""

    def __init__(self, root: Path) -> None:
        self.uploads = root / "uploads"
        self.tree = root / "buckets"
        self._content = root / "content"
        for folder in (self.uploads, self.tree, self._content):
            folder.mkdir(parents=True, exist_ok=True)

    def new_upload(self) -> Path:
        """A path for bytes that are still arriving."""
        return self.uploads / secrets.token_hex(16)

    def keep(self, upload: Path, generation: int) -> str:
        """Move a finished upload among the content files; returns the file's name."""
        file = f"{generation}-{secrets.token_hex(4)}"
        upload.replace(self._content / file)
        return file

    def path(self, file: str) -> Path:
        """The path of a content file."""
        return self._content / file

    def remove(self, file: str) -> None:
        """Remove a content file; a running download keeps its open handle."""
        self.path(file).unlink(missing_ok=True)

    def link(self, bucket: str, name: str, file: str) -> None:
        """Show a content file in the plain tree, atomically replacing what was there.

        Left out: unsafe names, names the file system refuses, and a name that is also another object's folder
        (objects `a` and `a/b` can both exist in GCS, not in a file system).
        """
        relative = plain_path(bucket, name)
        if relative is None:
            return
        target, fresh = self.tree / relative, self.uploads / f"link-{secrets.token_hex(8)}"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.path(file), fresh)
            fresh.replace(target)
        except OSError:
            fresh.unlink(missing_ok=True)
            # Better nothing under this path than an older generation.
            with contextlib.suppress(OSError):
                target.unlink()

    def unlink(self, bucket: str, name: str, file: str) -> None:
        """Take an object out of the plain tree, with the folders that become empty; must precede `remove`."""
        relative = plain_path(bucket, name)
        if relative is None:
            return
        target = self.tree / relative
        try:
            # A file system that ignores case may show another object under this path.
            if not target.samefile(self.path(file)):
                return
            target.unlink()
        except OSError:
            return
        self._prune(target.parent)

    def _prune(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            while folder != self.tree:
                folder.rmdir()
                folder = folder.parent

    def recover(self, objects: Iterable[tuple[str, str, str]], sessions: Iterable[str]) -> None:
        """Bring the directories in line with the database after any kind of end.

        `objects` are (bucket, name, content file), `sessions` the names of unfinished uploads.
        """
        expected = list(objects)
        known_files = {file for _, _, file in expected}
        for path in self._content.iterdir():
            if path.name not in known_files:
                path.unlink()
        known_uploads = set(sessions)
        for path in self.uploads.iterdir():
            if path.name not in known_uploads:
                path.unlink()
        shown = {self.tree / plain for bucket, name, _ in expected if (plain := plain_path(bucket, name))}
        for folder, _, files in os.walk(self.tree, topdown=False):
            for leaf in files:
                if Path(folder, leaf) not in shown:
                    Path(folder, leaf).unlink()
            with contextlib.suppress(OSError):
                if Path(folder) != self.tree:
                    Path(folder).rmdir()
        for bucket, name, file in expected:
            relative = plain_path(bucket, name)
            if relative is None:
                continue
            with contextlib.suppress(OSError):
                if (self.tree / relative).samefile(self.path(file)):
                    continue
            self.link(bucket, name, file)
