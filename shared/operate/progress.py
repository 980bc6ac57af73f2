"""How far something is: one line that redraws itself on a terminal, plain lines elsewhere."""

from dataclasses import dataclass, field
from typing import TextIO

_WIDTH = 24


def bar(done: int, total: int) -> str:
    """`[########----------------]` of a fixed width."""
    filled = _WIDTH * done // total if total else _WIDTH
    return f"[{'#' * filled}{'-' * (_WIDTH - filled)}]"


@dataclass(slots=True)
class Progress:
    """Tells of `total` things: the same line drawn over on a terminal, a line for every step elsewhere."""

    stream: TextIO
    total: int
    done: int = 0
    _drawn: int = field(default=0, init=False)

    def step(self, line: str, *, finished: bool = False) -> None:
        """Something happened; `finished` when one of the things is done with it."""
        self.done += finished
        told = f"{self.done}/{self.total} {line}"
        if not self.stream.isatty():
            print(told, file=self.stream, flush=True)
            return
        drawn = f"{bar(self.done, self.total)} {told}"
        print(f"\r{drawn.ljust(self._drawn)}", end="", file=self.stream, flush=True)
        self._drawn = len(drawn)

    def end(self) -> None:
        """Leave the line as it is."""
        if self._drawn:
            print(file=self.stream, flush=True)
