"""`python -m local COMMAND`: the demonstration, the running stack, and questions to it."""

import argparse
import os
import signal
import sys
from pathlib import Path

from local.addresses import REPOSITORY, Addresses, Folders, read_addresses
from local.stack import local_secrets

DEFAULT_FOLDER = REPOSITORY / ".local" / "stack"


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the stack keeps its data")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run the demonstration")
    demo.add_argument("--data", type=Path, help="an archive of incidents, see docs/incident-archive.md")
    commands.add_parser("up", help="start the stack and keep it running")
    commands.add_parser("down", help="stop the running stack")
    one_tick = commands.add_parser("tick", help="fire a pipeline's next window")
    one_tick.add_argument("pipeline")
    one_tick.add_argument("--window", help="start/end; default: the hour after the double's clock")
    webhook = commands.add_parser("webhook", help="send a signed event, and show what becomes of it")
    webhook.add_argument("workspace", nargs="?", default="companya")
    sql = commands.add_parser("sql", help="ask the running stack's warehouse")
    sql.add_argument("statement")
    dbt = commands.add_parser("dbt", help="dbt against the running stack", add_help=False)
    dbt.add_argument("rest", nargs=argparse.REMAINDER)
    operate = commands.add_parser("operate", help="shared.operate against the running stack", add_help=False)
    operate.add_argument("rest", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    folders = Folders(chosen.folder)
    match chosen.command:
        case "demo":
            from local.demo import run_demo

            return run_demo(folders, chosen.data)
        case "up":
            return _up(folders)
    addresses = read_addresses(folders)
    if addresses is None:
        print("No stack is running. Start one: make up", file=sys.stderr)
        return 1
    os.environ.update({**addresses.environment(folders), **local_secrets()})
    return _with_stack(folders, addresses, chosen)


def _with_stack(folders: Folders, addresses: Addresses, chosen: argparse.Namespace) -> int:
    match chosen.command:
        case "down":
            os.kill(addresses.supervisor_pid, signal.SIGTERM)
            return _gone(addresses)
        case "tick":
            return _tick(addresses, chosen.pipeline, chosen.window)
        case "webhook":
            from local.webhook import send_sample

            return send_sample(addresses, chosen.workspace)
        case "sql":
            return _sql(addresses, chosen.statement)
        case "dbt":
            return _dbt(folders, addresses, chosen.rest)
        case _:
            from shared.operate.__main__ import main as operate_main

            return operate_main(chosen.rest)


def _up(folders: Folders) -> int:
    from local.demo import SHOWN_UNTIL, ensure_archive, last_window_end, serve

    if read_addresses(folders) is not None:
        print("The stack is running already. Stop it: make down", file=sys.stderr)
        return 1
    ensure_archive(folders)

    def told(addresses: Addresses) -> None:
        from local.scheduler import move_clock

        move_clock(addresses, last_window_end() or SHOWN_UNTIL)
        print('\n  make tick PIPELINE=ops_incidents   make status   make sql Q="select …"   make down (or Ctrl-C)\n')

    return serve(folders, SHOWN_UNTIL, told, keep=True)


def _gone(addresses: Addresses) -> int:
    from local.watch import TookTooLong, wait_for

    def ended() -> bool:
        try:
            os.kill(addresses.supervisor_pid, 0)
        except ProcessLookupError:
            return True
        return False

    try:
        wait_for("the stack's end", ended, 30)
    except TookTooLong as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _tick(addresses: Addresses, pipeline: str, interval: str | None) -> int:
    from local.scheduler import move_clock, next_window, read_clock, tick
    from local.watch import state, wait_for, window_closed
    from shared.registry import registry
    from shared.windows.window import Window

    known = registry().pipelines
    if pipeline not in known:
        print(f"Unknown pipeline {pipeline!r}; the registry knows: {', '.join(sorted(known))}", file=sys.stderr)
        return 1
    window = Window.from_interval(pipeline, interval) if interval else next_window(addresses, pipeline)
    move_clock(addresses, max(window.end, read_clock(addresses)))
    sources = tick(pipeline, window)
    print(f"{sources} sources ticked for window {window.interval}")
    documents = state()
    seconds = wait_for(f"window {window.id}", lambda: window_closed(documents, window), 120)
    print(f"window {window.id} is closed after {seconds:.1f} s; see make status")
    return 0


def _sql(addresses: Addresses, statement: str) -> int:
    from snowflake.connector.errors import Error

    from local.warehouse import as_table, query

    try:
        print(as_table(*query(addresses, statement)))
    except Error as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _dbt(folders: Folders, addresses: Addresses, rest: list[str]) -> int:
    import json
    import subprocess

    from shared.registry import registry
    from shared.transform.dbt_inputs import dbt_vars, write_inputs

    project = REPOSITORY / "dbt"
    write_inputs(project)
    environment = {
        **os.environ,
        "SNOWFLAKE_HOST": "127.0.0.1",
        "SNOWFLAKE_PORT": str(addresses.warehouse),
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "DBT_TARGET": "local",
        # a target folder of its own: the job's may be in use
        "DBT_TARGET_PATH": str(folders.root / "dbt-by-hand"),
        "DBT_LOG_PATH": str(folders.root / "dbt-by-hand"),
    }
    command = [str(Path(sys.executable).with_name("dbt")), *(rest or ["build"])]
    return subprocess.run(
        [*command, "--vars", json.dumps(dbt_vars(registry()))], env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
