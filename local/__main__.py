"""`python -m local COMMAND`: the demonstration, the running stack, and questions to it."""

import argparse
import os
import signal
import sys
from pathlib import Path

from local.addresses import REPOSITORY, Addresses, Folders, read_addresses
from local.stack import local_secrets

DEFAULT_FOLDER = REPOSITORY / ".local" / "stack"
_DBT_PROJECT = REPOSITORY / "dbt"


def main(arguments: list[str]) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the stack keeps its data")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run the demonstration")
    demo.add_argument("--data", type=Path, help="an archive of incidents, see docs/incident-archive.md")
    up = commands.add_parser("up", help="start the stack and keep it running")
    up.add_argument("--webhooks", action="store_true", help="the double of incident.io sends its changes as webhooks")
    commands.add_parser("down", help="stop the running stack")
    one_tick = commands.add_parser("tick", help="fire a pipeline's next window")
    one_tick.add_argument("pipeline")
    one_tick.add_argument("--window", help="start/end; default: the hour after the double's clock")
    webhook = commands.add_parser("webhook", help="send a signed event, and show what becomes of it")
    webhook.add_argument("workspace", nargs="?", default="companya")
    one_tick.add_argument("--no-wait", action="store_true", help="do not wait for dbt, only for the window")
    sql = commands.add_parser("sql", help="ask the running stack's warehouse")
    sql.add_argument("statement")
    dbt = commands.add_parser("dbt", help="dbt against the running stack", add_help=False)
    dbt.add_argument("rest", nargs=argparse.REMAINDER)
    commands.add_parser("slim", help="build what a change of the dbt project touches, beside the rest")
    operate = commands.add_parser("operate", help="shared.operate against the running stack", add_help=False)
    operate.add_argument("rest", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    folders = Folders(chosen.folder)
    match chosen.command:
        case "demo":
            from local.demo import run_demo

            return run_demo(folders, chosen.data)
        case "up":
            return _up(folders, webhooks=chosen.webhooks)
    addresses = read_addresses(folders)
    if addresses is None:
        print("No stack is running. Start one: make up", file=sys.stderr)
        return 1
    os.environ.update({**addresses.environment(folders), **local_secrets()})
    return _at_the_running_stack(folders, addresses, chosen)


def _at_the_running_stack(folders: Folders, addresses: Addresses, chosen: argparse.Namespace) -> int:
    match chosen.command:
        case "down":
            os.kill(addresses.supervisor_pid, signal.SIGTERM)
            return _gone(addresses)
        case "tick":
            return _tick(addresses, chosen.pipeline, chosen.window, build=not chosen.no_wait)
        case "webhook":
            from local.webhook import send_sample

            return send_sample(addresses, chosen.workspace)
        case "sql":
            return _sql(addresses, chosen.statement)
        case "dbt":
            return _dbt(folders, addresses, chosen.rest)
        case "slim":
            return _slim(folders, addresses)
        case _:
            from shared.operate.__main__ import main as operate_main

            return operate_main(chosen.rest)


def _up(folders: Folders, *, webhooks: bool) -> int:
    from local.demo import SHOWN_UNTIL, ensure_archive, last_window_end, serve

    if read_addresses(folders) is not None:
        print("The stack is running already. Stop it: make down", file=sys.stderr)
        return 1
    ensure_archive(folders)

    def told(addresses: Addresses) -> None:
        from local.scheduler import move_clock

        move_clock(addresses, last_window_end() or SHOWN_UNTIL)
        print('\n  make tick PIPELINE=ops_incidents   make status   make sql Q="select …"   make down (or Ctrl-C)\n')

    return serve(folders, SHOWN_UNTIL, told, keep=True, webhooks=webhooks)


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


def _tick(addresses: Addresses, pipeline: str, interval: str | None, *, build: bool) -> int:
    from local.scheduler import move_clock, next_window, read_clock, tick
    from local.watch import BuildFailed, TookTooLong, artifacts, state, wait_for, wait_for_builds, window_closed
    from shared.adapters.clock import SystemClock
    from shared.registry import registry
    from shared.windows.window import Window

    known = registry().pipelines
    if pipeline not in known:
        print(f"Unknown pipeline {pipeline!r}; the registry knows: {', '.join(sorted(known))}", file=sys.stderr)
        return 1
    window = Window.from_interval(pipeline, interval) if interval else next_window(addresses, pipeline)
    move_clock(addresses, max(window.end, read_clock(addresses)))
    began = SystemClock().now()
    sources = tick(pipeline, window)
    print(f"{sources} sources ticked for window {window.interval}")
    documents = state()
    try:
        seconds = wait_for(f"window {window.id}", lambda: window_closed(documents, window), 120)
        print(f"window {window.id} is closed after {seconds:.1f} s{'; waiting for dbt …' if build else ''}")
        if build:
            seconds = wait_for_builds(documents, artifacts(), 300, since=began)
            print(f"the marts are up to date after {seconds:.1f} s; see make status")
    except (TookTooLong, BuildFailed) as exc:
        print(exc, file=sys.stderr)
        return 1
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

    write_inputs(_DBT_PROJECT)
    command = [str(Path(sys.executable).with_name("dbt")), *(rest or ["build"])]
    variables = ["--vars", json.dumps(dbt_vars(registry()))]
    return subprocess.run([*command, *variables], env=_dbt_environment(folders, addresses), check=False).returncode


def _slim(folders: Folders, addresses: Addresses) -> int:
    import subprocess

    command = [sys.executable, str(_DBT_PROJECT / "slim_ci.py"), "--target", "local_ci"]
    return subprocess.run(command, env=_dbt_environment(folders, addresses), check=False).returncode


def _dbt_environment(folders: Folders, addresses: Addresses) -> dict[str, str]:
    return {
        **os.environ,
        "SNOWFLAKE_HOST": "127.0.0.1",
        "SNOWFLAKE_PORT": str(addresses.warehouse),
        "DBT_PROJECT_DIR": str(_DBT_PROJECT),
        "DBT_PROFILES_DIR": str(_DBT_PROJECT),
        "DBT_TARGET": "local",
        # a target folder of its own: the job's may be in use
        "DBT_TARGET_PATH": str(folders.root / "dbt-by-hand"),
        "DBT_LOG_PATH": str(folders.root / "dbt-by-hand"),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
