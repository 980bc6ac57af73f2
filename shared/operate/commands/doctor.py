"""`doctor`: what is missing to run, here and in the project that the environment names."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from shared.adapters.clock import SystemClock
from shared.errors import ConfigurationError
from shared.operate.doctor import cloud, machine, snowflake
from shared.operate.doctor.check import Check, Looks, as_json, as_text, examine, healthy, warning, wrong
from shared.registry import registry
from shared.settings import Settings

_NO_SNOWFLAKE = warning(
    "Snowflake",
    "was not examined: OPP_SNOWFLAKE_ACCOUNT is not set",
    "set OPP_SNOWFLAKE_ACCOUNT, _USER, _ROLE, _WAREHOUSE and _PRIVATE_KEY_SECRET as the load function has them",
)

REPOSITORY = Path(__file__).resolve().parents[3]


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "doctor",
        help="what is missing to run, and the command that mends it",
        description="Without OPP_PROJECT this machine is examined, with it that project and its warehouse.",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--endpoint", action="append", default=[], metavar="SERVICE=URL", help="where a Google service is instead"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Look, and tell."""
    endpoints = _endpoints(chosen.endpoint)
    # with emulators in the environment the project is this machine's
    elsewhere = os.environ.get("OPP_PROJECT") and (endpoints or not os.environ.get("STORAGE_EMULATOR_HOST"))
    checks = _project(endpoints) if elsewhere else _machine()
    print(json.dumps(as_json(checks), indent=2) if chosen.json else as_text(checks))
    return 0 if healthy(checks) else 1


def _machine() -> list[Check]:
    return list(examine(machine.looks(REPOSITORY)))


def _project(endpoints: dict[str, str]) -> list[Check]:
    from shared.adapters.google_rest import GoogleRest

    try:
        settings = Settings.from_env(os.environ)
    except ConfigurationError as exc:
        remedy = "take them from terraform: terraform output -json environment"
        return [wrong("settings", problem, remedy) for problem in exc.problems]
    project = cloud.Project(settings, registry(), GoogleRest(endpoints), SystemClock().now())
    looks: list[tuple[str, Looks]] = cloud.looks(project)
    if settings.snowflake is not None:
        from shared.adapters.snowflake_probe import ConnectorProbe
        from shared.wiring.warehouse import login

        chosen = settings.snowflake
        looks += snowflake.looks(chosen, ConnectorProbe(lambda: login(chosen, fresh=False)))
    else:
        looks.append(("Snowflake", lambda: [_NO_SNOWFLAKE]))
    return list(examine(looks))


def _endpoints(texts: list[str]) -> dict[str, str]:
    split = [text.partition("=") for text in texts]
    if any(not url for _, _, url in split):
        raise ConfigurationError(["--endpoint: expected SERVICE=URL, as storage=http://127.0.0.1:9023"])
    return {service: url for service, _, url in split}
