"""The adapters of the dbt job."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.dbt import DbtProcess
from shared.errors import ConfigurationError
from shared.registry.load import registry
from shared.settings import SnowflakeSettings
from shared.transform.run import TransformPorts
from shared.wiring.warehouse import warehouse


@contextmanager
def transform_ports(project: Path) -> Iterator[TransformPorts]:
    """What the dbt job needs; the warehouse key's file lives as long as the block."""
    chosen = wiring.settings()
    if chosen.snowflake is None:
        raise ConfigurationError(["settings: OPP_SNOWFLAKE_ACCOUNT is missing; the job needs the warehouse"])
    with _profile_environment(chosen.snowflake) as environment:
        yield TransformPorts(
            registry=registry(),
            documents=wiring.documents(),
            warehouse=warehouse(),
            dbt=DbtProcess(
                project=project,
                target_path=Path(chosen.dbt_target_path) if chosen.dbt_target_path else project / "target",
                target="prod" if chosen.snowflake.private_key_secret else "local",
                registry=registry(),
                artifacts=wiring.bucket(chosen.artifacts_bucket),
                environment=environment,
            ),
            clock=SystemClock(),
            new_token=wiring.new_token,
        )


@contextmanager
def _profile_environment(snowflake: SnowflakeSettings) -> Iterator[dict[str, str]]:
    environment = {
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_USER": snowflake.user,
        "SNOWFLAKE_ROLE": snowflake.role,
        "SNOWFLAKE_WAREHOUSE": snowflake.warehouse,
    }
    if snowflake.private_key_secret is None:
        yield {**environment, "SNOWFLAKE_HOST": snowflake.host or "", "SNOWFLAKE_PORT": str(snowflake.port or "")}
        return
    # dbt reads a key from a file: one that only this user can read, gone with the job
    with tempfile.TemporaryDirectory(prefix="key-") as folder:
        path = Path(folder, "key.p8")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(wiring.secrets().fetch(snowflake.private_key_secret))
        yield {**environment, "SNOWFLAKE_PRIVATE_KEY_PATH": str(path)}
