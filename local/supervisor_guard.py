"""Ends the processes of a supervisor that was killed, grandchildren included; works wherever there are process groups.

The supervisor holds the write end of a pipe, which the system closes however the supervisor ends. Two roles, both
run as a script by path (isolated and without site, so that each costs some milliseconds):

`watch FD GRACE` reads process groups from the pipe, "+group" and "-group" lines, and ends them all at end of file.
`exec FD COMMAND…` writes its own group to the pipe and then becomes COMMAND. The group is registered before the
command exists and the pipe stays open until then, so no moment is left in which a child could be missed.
"""

from __future__ import annotations

import os
import signal
import sys
import time


def end_group(group: int, number: int) -> bool:
    """Signal a process group (0: only look); False when it is gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # macOS refuses with EPERM when only zombies are left.
        return False
    return True


def watch(descriptor: int, grace_seconds: float) -> None:
    """Read groups until end of file, then SIGTERM those that remain, and after the grace SIGKILL."""
    groups: set[int] = set()
    with open(descriptor, encoding="ascii") as lines:
        for line in lines:
            group = int(line[1:])
            if line.startswith("+"):
                groups.add(group)
            else:
                groups.discard(group)
    groups = {group for group in groups if end_group(group, signal.SIGTERM)}
    end = time.monotonic() + grace_seconds
    while groups and time.monotonic() < end:
        time.sleep(0.02)
        groups = {group for group in groups if end_group(group, 0)}
    for group in groups:
        end_group(group, signal.SIGKILL)


def become(descriptor: int, command: list[str]) -> None:
    """Register this process's group and turn into the command; exit code 127 when there is no such command."""
    os.write(descriptor, f"+{os.getpgrp()}\n".encode())
    os.set_inheritable(descriptor, False)
    try:
        os.execvp(command[0], command)  # noqa: S606 - to become the command without a shell is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


def main() -> None:
    """Play the role that the command line names."""
    if sys.argv[1] == "watch":
        watch(int(sys.argv[2]), float(sys.argv[3]))
    else:
        become(int(sys.argv[2]), sys.argv[3:])


if __name__ == "__main__":
    main()
