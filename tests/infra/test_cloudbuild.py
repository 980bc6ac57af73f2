"""The build's file: every step is a make target, in order, and holds no secret's value and no project's name.

What the targets do is tried too, where it can be without an account: dbt-parse as it is, plan and apply on a copy of
the configuration, with a Terraform that only writes down what it is asked.
"""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.settings import Settings
from shared.transform.slim import STATE_MANIFEST
from tests.infra.configuration import ROOT, TERRAFORM, argument, block, data, names_in, text_of

BUILD: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in BUILD["steps"]}
MAKEFILE = (ROOT / "Makefile").read_text()
BUILT_IN = {"PROJECT_ID", "BUILD_ID", "SHORT_SHA", "BRANCH_NAME"}


def _made(step: dict[str, Any]) -> list[str]:
    """The make targets that a step calls."""
    return re.findall(r"(?m)^\s*make ([a-z-]+)", step["script"])


def _before(name: str) -> set[str]:
    """The steps that have ended when this one starts."""
    direct = set(STEPS[name]["waitFor"]) - {"-"}
    return direct | {earlier for step in direct for earlier in _before(step)}


def _make(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    # the environment that runs this test is the one to use: nothing is installed from here
    installed = ["--old-file", ".venv/.installed", f"BIN={Path(sys.executable).parent}"]
    return subprocess.run(
        ["/usr/bin/env", "make", *installed, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_one_make_target_that_exists(name: str) -> None:
    """So a person can run whatever the build runs."""
    (target,) = _made(STEPS[name])
    assert target == name
    assert re.search(rf"(?m)^{target}:.*## \S", MAKEFILE), f"make help does not tell of {target}"
    assert re.search(rf"(?m)^\.PHONY:.* {target}( |$)", MAKEFILE)


def test_the_steps_are_in_order() -> None:
    """Nothing is planned that was not tested, built beside production and evaluated; nothing is applied unplanned."""
    assert list(STEPS) == ["setup", "test", "dbt-parse", "slim", "evaluate", "image", "plan", "apply"]
    assert _before("apply") == set(STEPS) - {"apply"}
    assert _before("plan") == set(STEPS) - {"apply", "plan"}
    assert "test" in _before("dbt-parse") & _before("image")
    assert "dbt-parse" in _before("slim") & _before("evaluate")
    assert "slim" not in _before("evaluate"), "they may run beside each other"


def test_every_step_says_how_long_it_may_take() -> None:
    """One that hangs ends long before the build does."""
    longest = [int(step["timeout"].removesuffix("s")) for step in STEPS.values()]
    assert max(longest) < int(BUILD["timeout"].removesuffix("s"))


def test_images_are_pinned_to_a_version() -> None:
    """A tag that moves would change a build without a commit."""
    for step in STEPS.values():
        assert re.search(r":\d+\.\d+\.\d+(-[a-z0-9]+)?$", step["name"]), step["name"]
    (python,) = {step["name"] for step in STEPS.values() if step["name"].startswith("python:")}
    image = re.findall(r"(?m)^FROM python:(\d+\.\d+)", (ROOT / "dbt" / "Dockerfile").read_text())
    assert python.split(":")[1].startswith(f"{image[0]}."), "tested with another Python than the job's"


def test_terraform_is_a_version_that_the_configuration_takes() -> None:
    (image,) = {STEPS[name]["name"] for name in ("plan", "apply")}
    least = re.findall(r'required_version = ">= (\d+)\.(\d+)"', text_of("versions.tf"))[0]
    assert tuple(map(int, image.split(":")[1].split(".")[:2])) >= tuple(map(int, least))


def test_secrets_are_references_that_terraform_makes() -> None:
    """Only the steps that need one get it, and none of them prints it or leaves it in the workspace."""
    named = {entry["env"]: entry["versionName"] for entry in BUILD["availableSecrets"]["secretManager"]}
    made = set(re.findall(r'"([a-z-]+)"', re.findall(r"ci_secrets = (.*)", text_of("secrets.tf"))[0]))
    assert set(named.values()) == {f"projects/$PROJECT_ID/secrets/{secret}/versions/latest" for secret in made}
    given = {name: step["secretEnv"] for name, step in STEPS.items() if "secretEnv" in step}
    assert given == {
        "slim": ["SNOWFLAKE_CI_KEY"],
        "evaluate": ["SNOWFLAKE_CI_KEY"],
        "plan": ["SNOWFLAKE_PRIVATE_KEY"],
        "apply": ["SNOWFLAKE_PRIVATE_KEY"],
    }
    assert set(named) == {name for names in given.values() for name in names}
    for name in given:
        assert not re.search(r"\$\{?SNOWFLAKE_(CI_KEY|PRIVATE_KEY)\b(?!_PATH)", STEPS[name]["script"]), name
        assert "set -x" not in STEPS[name]["script"]


@pytest.mark.parametrize("name", ["slim", "evaluate"])
def test_the_warehouse_key_is_a_file_of_the_step_alone(name: str, tmp_path: Path) -> None:
    """Run as it stands, but for make: mode 0600, outside the workspace, and not in make's environment."""
    tools = tmp_path / "tools"
    tools.mkdir()
    told = tmp_path / "told"
    (tools / "make").write_text(
        '#!/bin/sh\nstat -c %a "$SNOWFLAKE_PRIVATE_KEY_PATH" > "$TOLD"\n'
        'cat "$SNOWFLAKE_PRIVATE_KEY_PATH" >> "$TOLD"\nprintenv DBT_SCHEMA SNOWFLAKE_CI_KEY >> "$TOLD"\nexit 0\n'
    )
    (tools / "make").chmod(0o755)
    paths = dict(line.split("=", 1) for line in STEPS[name]["env"])
    assert not paths["SNOWFLAKE_PRIVATE_KEY_PATH"].startswith("/workspace")
    key = tmp_path / "ci.p8"
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-c", STEPS[name]["script"]],
        env={
            "PATH": f"{tools}:{os.environ['PATH']}",
            "TOLD": str(told),
            "BUILD_ID": "0a1b-2c3d",
            "SNOWFLAKE_CI_KEY": "an invented key",
            "SNOWFLAKE_PRIVATE_KEY_PATH": str(key),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    mode, content, schema, *rest = told.read_text().splitlines()
    assert (mode, content, rest) == ("600", "an invented key", [])
    assert re.fullmatch(r"CI_(EVALUATOR_)?0a1b_2c3d", schema), "a build writes to schemas of its own"


def test_no_project_and_no_person_is_named() -> None:
    """What differs is a substitution with a default, every one is used, and none is used that is not there."""
    text = (ROOT / "cloudbuild.yaml").read_text()
    used = set(re.findall(r"\$\{?([A-Z_]+)\b", yaml.safe_dump({**BUILD, "steps": _unscripted()})))
    assert used == set(BUILD["substitutions"]) | BUILT_IN
    literal = argument((TERRAFORM / "environments" / "prod.tfvars").read_text(), "project")
    assert literal not in text
    assert not re.search(r"[\w.-]+@(?!\$PROJECT_ID\.iam)", text)
    assert not re.search(r"BEGIN|PRIVATE KEY-|password", text)


def _unscripted() -> list[dict[str, Any]]:
    # Cloud Build substitutes nothing inside a script; the shell does, from env
    return [{key: value for key, value in step.items() if key != "script"} for step in STEPS.values()]


@pytest.mark.parametrize("name", STEPS)
def test_a_script_reads_only_variables_that_its_step_sets(name: str) -> None:
    step = STEPS[name]
    given = {line.split("=", 1)[0] for line in step.get("env", [])} | set(step.get("secretEnv", []))
    assert set(re.findall(r"\$\{?([A-Z_]+)", step["script"])) <= given


def test_slim_ci_has_the_settings_that_it_reads_and_the_names_that_terraform_gives() -> None:
    """Buckets, user, role and account."""
    given = dict(line.split("=", 1) for line in STEPS["slim"]["env"])
    settings = Settings.from_env({name: value for name, value in given.items() if name.startswith("OPP_")})
    template = argument(block(text_of("buckets.tf"), 'resource "google_storage_bucket" "this"'), "name")
    for purpose in names_in(block(text_of("buckets.tf"), "buckets = {")):
        expected = template.replace("${var.project}", "${_PROJECT}").replace("${each.key}", purpose)
        assert getattr(settings, f"{purpose}_bucket") == expected
    access = text_of("snowflake_access.tf")
    assert given["SNOWFLAKE_ROLE"] in names_in(block(access, "roles = {"))
    user = argument(block(access, 'resource "snowflake_service_user" "this"'), "name")
    assert given["SNOWFLAKE_USER"] == user.replace("${each.key}", given["SNOWFLAKE_ROLE"])
    account = argument(block(text_of("ci.tf"), 'resource "google_service_account" "ci"'), "account_id")
    assert BUILD["serviceAccount"].split("/")[-1].startswith(f"{account}@")
    assert BUILD["options"]["logging"] == "CLOUD_LOGGING_ONLY", "a build under an account of its own needs it"


def test_the_job_may_write_the_manifest_that_slim_ci_reads() -> None:
    """Its grant on the artifacts bucket is by prefix."""
    granted = block(text_of("dbt_job.tf"), 'resource "google_storage_bucket_iam_member" "dbt_artifacts"')
    prefixes = re.findall(r'"([a-z]+/)"', granted)
    assert sorted(prefixes) == ["runs/", "state/"]
    assert STATE_MANIFEST.startswith(tuple(prefixes))
    expiring = re.findall(r'artifacts\s+= .*prefixes = \["([a-z/]+)"\]', text_of("buckets.tf"))
    assert expiring
    assert not STATE_MANIFEST.startswith(expiring[0]), "after a quiet month everything would be built"


def test_the_image_is_built_from_what_terraform_packs() -> None:
    """The context's exceptions are those of the archive."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[:3] == ["*", "!shared", "!dbt"]
    without = data("packages.yaml")["dbt"]["without"]
    for part in without:
        assert any(fnmatch(part.rstrip("/"), line.removeprefix("**/")) for line in lines[3:]), part
    assert len(lines[3:]) == len(without)


def test_the_dbt_project_parses_without_a_warehouse() -> None:
    """As a person would run it: no account, no address of one."""
    done = _make("dbt-parse", SNOWFLAKE_HOST="127.0.0.1", SNOWFLAKE_PORT="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (ROOT / "dbt" / "target" / "manifest.json").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile and the configuration, and a `terraform` that notes its arguments and makes the plan's file."""
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    shutil.copytree(
        TERRAFORM,
        tmp_path / "infra" / "terraform",
        ignore=shutil.ignore_patterns(".terraform", "backend.tf", ".plans", ".packages"),
    )
    terraform = tmp_path / "tools" / "terraform"
    terraform.parent.mkdir()
    terraform.write_text(
        '#!/bin/sh\necho "$@" >> asked\n'
        'for word; do case "$word" in -out=*) touch "infra/terraform/${word#-out=}";; esac; done\n'
    )
    terraform.chmod(0o755)
    return tmp_path


def _terraform(checkout: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{checkout / 'tools'}:{os.environ['PATH']}"
    return _make(target, folder=checkout, PATH=path, **variables)


def _asked(checkout: Path) -> list[str]:
    asked = checkout / "asked"
    return asked.read_text().splitlines() if asked.exists() else []


def test_what_is_applied_is_the_plan_that_was_made(checkout: Path) -> None:
    """With the environment's file, in the state of its bucket, and once."""
    planned = _terraform(checkout, "plan", ENV="prod", STATE_BUCKET="a-bucket")
    assert planned.returncode == 0, planned.stderr
    assert 'backend "gcs" {}' in (checkout / "infra" / "terraform" / "backend.tf").read_text()
    applied = _terraform(checkout, "apply", ENV="prod", BRANCH_NAME="main")
    assert applied.returncode == 0, applied.stderr
    init, plan, apply = _asked(checkout)
    assert "-backend-config=bucket=a-bucket" in init
    assert "-var-file=environments/prod.tfvars" in plan
    assert "-out=.plans/prod.tfplan" in plan
    assert apply.startswith("-chdir=infra/terraform apply ")
    assert apply.endswith(" .plans/prod.tfplan")
    assert _terraform(checkout, "apply", ENV="prod", BRANCH_NAME="main").returncode != 0, "a plan is applied once"


@pytest.mark.parametrize("branch", ["a-branch", "main2", ""])
def test_only_main_is_applied(branch: str, checkout: Path) -> None:
    """Neither by the step nor by make; the branch's build ends well all the same."""
    assert _terraform(checkout, "plan", STATE_BUCKET="a-bucket").returncode == 0
    done = _terraform(checkout, "apply", BRANCH_NAME=branch)
    assert done.returncode != 0
    assert "Only main is applied" in done.stdout
    step = subprocess.run(
        ["/bin/sh", "-c", STEPS["apply"]["script"]],
        cwd=checkout,
        env={"PATH": f"{checkout / 'tools'}:{os.environ['PATH']}", "BRANCH_NAME": branch},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (step.returncode, "not applied" in step.stdout) == (0, True)
    assert not [asked for asked in _asked(checkout) if " apply " in asked]
    assert "BRANCH_NAME=$BRANCH_NAME" in STEPS["apply"]["env"]


def test_nothing_is_planned_without_a_state_or_an_environment(checkout: Path) -> None:
    """A build's checkout has no state of its own: everything would be created anew."""
    done = _terraform(checkout, "plan")
    assert (done.returncode != 0, "STATE_BUCKET" in done.stdout) == (True, True)
    done = _terraform(checkout, "plan", ENV="nowhere", STATE_BUCKET="a-bucket")
    assert (done.returncode != 0, "nowhere.tfvars" in done.stdout) == (True, True)
    assert _asked(checkout) == []
