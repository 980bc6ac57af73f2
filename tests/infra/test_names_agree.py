"""One name for one thing in the code, in the local stack and in Terraform."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from local import stack
from local.addresses import BUCKETS
from shared.landing import PREFIX
from shared.messages import LANDED_TOPIC, SWEEP_TOPIC
from shared.redelivery import dead_topic
from shared.registry import registry
from shared.settings import Settings
from shared.state import layout
from shared.webhooks.receive import workspace_of
from shared.windows.window import Window
from tests.infra.configuration import ROOT, argument, block, everything, names_in, text_of

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/main.py"))

DEFAULTED = {
    "OPP_RUN_API",  # Cloud Run's own address
    "OPP_LEASE_SECONDS",
    "OPP_SOFT_DEADLINE_SECONDS",
    "OPP_SWEEP_GRACE_SECONDS",
    "OPP_SNOWFLAKE_HOST",  # the local stand-in's
    "OPP_SNOWFLAKE_PORT",
}
"""Variables that a deployment leaves at their defaults."""


class _Recorded(dict[str, str]):
    """An environment that knows what was asked of it."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()


def _environment() -> dict[str, str]:
    """Every variable that Terraform sets, to some value of the right kind."""
    values = block(text_of("push.tf"), "locals {")
    common = names_in(block(values, "environment = {"))
    warehouse = set(re.findall(r"OPP_SNOWFLAKE_\w+", values))
    image = set(re.findall(r"OPP_\w+", (ROOT / "dbt" / "Dockerfile").read_text()))
    assert len(common) > 5
    assert len(warehouse) > 5
    return {**dict.fromkeys(common | warehouse | image, "x"), "OPP_SECRETS": "secret-manager"}


def test_terraform_sets_exactly_the_variables_that_settings_reads() -> None:
    """None is missing, none is misspelt, and what is left at its default is listed."""
    recorded = _Recorded(_environment())
    settings = Settings.from_env(recorded)
    assert recorded.asked - set(recorded) == DEFAULTED
    assert settings.snowflake is not None
    assert settings.snowflake.private_key_secret


def test_without_the_warehouse_the_settings_are_complete_too() -> None:
    """What the extract, webhook and sweep functions are given."""
    given = {name: value for name, value in _environment().items() if "SNOWFLAKE" not in name}
    assert Settings.from_env(given).snowflake is None


def test_settings_that_stand_in_terraform_are_values_that_the_code_takes() -> None:
    """Keys in Secret Manager, and the job by its name."""
    values = block(text_of("push.tf"), "locals {")
    assert argument(values, "OPP_SECRETS") == "secret-manager"
    assert argument(values, "dbt_job") == Settings.from_env(_environment() | {"OPP_DBT_JOB": ""}).dbt_job
    assert "name                = local.dbt_job" in text_of("dbt_job.tf")


@pytest.mark.parametrize("purpose", sorted(BUCKETS))
def test_a_variable_names_the_bucket_of_its_purpose(purpose: str) -> None:
    """The same five as locally, none mixed up with another."""
    assert names_in(block(text_of("buckets.tf"), "buckets = {")) == set(BUCKETS)
    assert re.search(
        rf'OPP_{purpose.upper()}_BUCKET\s*=\s*google_storage_bucket\.this\["{purpose}"\]\.name', text_of("push.tf")
    )


def test_topics_have_the_names_that_messages_are_published_to() -> None:
    """A topic a source, one for landed objects, one for the sweep, and a dead-letter topic beside each."""
    template = argument(block(text_of("extract.tf"), 'module "extract_topic"'), "name")
    for source in registry().sources.values():
        assert template.replace("${each.value.slug}", source.slug) == source.topic
    assert argument(block(text_of("load.tf"), 'module "landed_topic"'), "name") == LANDED_TOPIC
    assert argument(block(text_of("sweep.tf"), 'module "sweep_topic"'), "name") == SWEEP_TOPIC
    module = text_of("modules/pushed_topic/main.tf")
    for kind in ("google_pubsub_topic", "google_pubsub_subscription"):
        dead = argument(block(module, f'resource "{kind}" "dead"'), "name")
        assert dead.replace("${var.name}", SWEEP_TOPIC) == dead_topic(SWEEP_TOPIC)
        assert re.search(r"name\s+= var\.name", block(module, f'resource "{kind}" "this"'))


def test_subscriptions_are_as_the_local_stack_makes_them() -> None:
    """The same number of attempts and the same time for each."""
    pushed = block(text_of("modules/pushed_topic/main.tf"), 'resource "google_pubsub_subscription" "this"')
    assert int(re.findall(r"max_delivery_attempts = (\d+)", pushed)[0]) == stack.MAX_DELIVERY_ATTEMPTS
    assert int(re.findall(r"ack_deadline_seconds\s+= (\d+)", pushed)[0]) == stack.ACK_DEADLINE_SECONDS


def test_a_function_ends_between_its_soft_deadline_and_the_push_requests() -> None:
    """What is cut at the soft deadline still has time to be written and continued."""
    seconds = int(
        re.findall(r"default\s+= (\d+)", block(text_of("modules/function/variables.tf"), '"timeout_seconds"'))[0]
    )
    assert Settings.from_env(_environment()).soft_deadline_seconds + 60 <= seconds <= stack.ACK_DEADLINE_SECONDS - 60


def test_a_tick_is_a_message_that_the_extract_function_understands() -> None:
    """The attributes of Terraform's tick are those of the scheduler that runs locally."""
    tick = block(text_of("extract.tf"), "pubsub_target")
    attributes = dict(re.findall(r"(\w+) = (\S+?)[,\s]", block(tick, "attributes")))
    assert attributes == {"v": '"1"', "source": "each.key"}
    assert "data" in names_in(tick)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_entry_point_is_a_function_of_its_main_file(function: str) -> None:
    """Terraform deploys every entry point there is, by the name that it has."""
    assert function in re.findall(r'"(\w+)"', re.findall(r"functions = toset\((.*)\)", text_of("packages.tf"))[0])
    module = block(text_of(f"{function}.tf"), f'module "{function}"')
    entry = argument(module, "entry_point")
    assert f"local.builds.{function}\n" in module
    assert f"\ndef {entry}(" in (ROOT / "functions" / function / "main.py").read_text()


def test_terraform_deploys_no_function_that_is_not_there() -> None:
    """An archive without main.py is refused by Terraform, and here."""
    named = re.findall(r'"(\w+)"', re.findall(r"functions = toset\((.*)\)", text_of("packages.tf"))[0])
    assert sorted(named) == FUNCTIONS


def test_the_stage_reaches_the_landing_prefix_and_the_loader_looks_there() -> None:
    """One prefix in the notification, the integration, the stage and the names of landing objects."""
    assert argument(block(text_of("load.tf"), "locals {"), "landing_prefix") == PREFIX
    assert "object_name_prefix = local.landing_prefix" in text_of("load.tf")
    known = Settings.from_env({**_environment(), **dict.fromkeys(("OPP_SNOWFLAKE_STAGE", "OPP_SNOWFLAKE_SCHEMA"), "")})
    assert known.snowflake is not None
    stage = block(text_of("snowflake.tf"), 'resource "snowflake_stage" "landing"')
    assert argument(stage, "name") == known.snowflake.stage
    assert argument(block(text_of("snowflake.tf"), "locals {"), "raw_schema") == known.snowflake.schema
    assert re.search(r'(?m)^\s*url\s*= "gcs://.*/\$\{local\.landing_prefix\}"$', stage)


def test_the_warehouses_and_schemas_are_those_that_dbt_names() -> None:
    """And the databases are there."""
    values = block(text_of("snowflake.tf"), "locals {")
    macros = (ROOT / "dbt" / "macros" / "use_run_warehouse.sql").read_text()
    profile = (ROOT / "dbt" / "profiles.yml").read_text()
    assert set(re.findall(r"ETL_\w+", macros + profile)) <= names_in(block(values, "warehouses"))
    files = [
        *ROOT.glob("dbt/dbt_project.yml"),
        *ROOT.glob("dbt/seeds/*.yml"),
        *ROOT.glob("dbt/snapshots/*.yml"),
    ]
    schemas = {name.upper() for path in files for name in re.findall(r"(?m)^\s*\+?schema: (\w+)", path.read_text())}
    assert len(schemas) == 5
    assert schemas == set(re.findall(r'"([A-Z]+)"', re.findall(r"analytics_schemas\s+= toset\((.*)\)", values)[0]))
    databases = set(re.findall(r'(?m)^\s+name\s+= "(RAW|ANALYTICS)"', text_of("snowflake.tf")))
    assert databases == set(re.findall(r"(?m)^\s+database: (\w+)", profile)) | {"RAW"}


def test_state_that_is_in_force_is_never_deleted_by_age() -> None:
    """What may go by age are names that the state's layout has; watermarks, requests and open windows stay."""
    window = Window.from_interval("p", "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z")
    passing = {
        layout.marker("s", window.id, 0, 0),
        layout.extraction_range("s", window.id, 0),
        layout.expected(window),
        layout.closed("p", window.id),
        layout.built("p", "d"),
        layout.listing("p", window.id, "w"),
        layout.drained("p", window.id, "w"),
        layout.attempts("s"),
        layout.whole_look("20261120"),
    }
    lasting = {
        layout.watermark("s"),
        layout.open_window("p", window.id),
        layout.closing("p", window.id, "d"),
        layout.gap("s", window.id),
        layout.request("p", "d"),
        layout.DBT_LEASE,
        layout.BUILDS_HOLD,
        layout.extract_lease("s", window.id, 0),
    }
    state = re.findall(r"(?m)^\s+state\s+= (.*)$", block(text_of("buckets.tf"), "buckets = {"))[0]
    prefixes = tuple(re.findall(r'"([a-z/]+/)"', state))
    assert all(any(name.startswith(prefix) for name in passing) for prefix in prefixes)
    assert {name for name in passing if name.startswith(prefixes)} == passing
    assert {name for name in lasting if name.startswith(prefixes)} == set()


def test_a_lease_is_where_terraform_forgets_former_versions_soon() -> None:
    """They are rewritten every half minute."""
    assert '"leases/"' in text_of("buckets.tf")
    assert layout.DBT_LEASE.startswith("leases/")


def test_webhooks_arrive_where_terraform_says() -> None:
    """The output is what goes into the sender's dashboard, with the workspace's name at its end."""
    path = re.findall(r'value\s+= "\$\{module\.webhook\.uri\}([^"]*)"', text_of("outputs.tf"))[0]
    assert workspace_of(f"{path}companya", f"{path}companya") == "companya"


def test_every_variable_and_output_says_what_it_is() -> None:
    """Also inside the modules."""
    for name, text in everything().items():
        for kind, label in re.findall(r'(?m)^(variable|output) "(\w+)"', text):
            assert re.search(r'(?m)^  description = "\S.+"$', block(text, f'{kind} "{label}"')), (
                f"{name}: {kind} {label}"
            )
