"""The doctor: a healthy project is told as such, and each thing that is missing with what mends it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from shared.errors import PermanentError, TransientError, WarehouseRefused
from shared.operate.doctor import machine
from shared.operate.doctor.check import Check, Verdict, as_json, as_text, examine, healthy, ok, unknown, warning, wrong
from shared.operate.doctor.cloud import Project, looks
from shared.operate.doctor.snowflake import examine_grants, examine_snowflake
from shared.operate.doctor.snowflake import looks as snowflake_looks
from shared.settings import Settings, SnowflakeSettings
from tests.support.google_project import ENVIRONMENT, NUMBER, PROJECT, GoogleProject, account
from tests.support.world import at, registry_of

REGISTRY = registry_of("alpha", "beta")


def _checks(google: GoogleProject) -> list[Check]:
    project = Project(Settings.from_env(ENVIRONMENT), REGISTRY, google, at(7))
    return list(examine(looks(project)))


def _not_ok(google: GoogleProject) -> list[Check]:
    return [check for check in _checks(google) if check.verdict is not Verdict.OK]


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_a_healthy_project(page_size: int) -> None:
    """Whatever the size of the services' pages."""
    checks = _checks(GoogleProject(REGISTRY, page_size))
    assert [check for check in checks if check.verdict is not Verdict.OK] == []
    assert healthy(checks)
    assert len(checks) > 20


Break = Callable[[GoogleProject], object]


@pytest.mark.parametrize(
    ("name", "breaks", "verdict", "seen", "remedy"),
    [
        (
            "APIs",
            lambda g: g.entries("serviceusage", "services").pop(9),
            Verdict.WRONG,
            "not enabled: pubsub.googleapis.com",
            f"gcloud services enable pubsub.googleapis.com --project {PROJECT}",
        ),
        (
            f"bucket {PROJECT}-landing",
            lambda g: g.bucket("landing").update(location="US"),
            Verdict.WRONG,
            "in us, the functions in europe-west1",
            "region",
        ),
        (
            f"bucket {PROJECT}-state",
            lambda g: g.bucket("state").pop("versioning"),
            Verdict.WRONG,
            "keeps no versions",
            f"gcloud storage buckets update gs://{PROJECT}-state --versioning",
        ),
        (
            f"bucket {PROJECT}-spool",
            lambda g: g.resources.pop(("storage", f"storage/v1/b/{PROJECT}-spool")),
            Verdict.WRONG,
            "does not exist",
            "terraform apply",
        ),
        (
            "function sweep",
            lambda g: g.entries("cloudfunctions", "functions").pop(2),
            Verdict.WRONG,
            "is not deployed",
            "terraform apply",
        ),
        (
            "function load",
            lambda g: g.entries("cloudfunctions", "functions")[1].update(state="FAILED"),
            Verdict.WRONG,
            "is FAILED",
            "gcloud functions describe load",
        ),
        (
            "function load",
            lambda g: next(b for b in g.bindings("state") if account("load") in b["members"][0]).update(
                role="roles/storage.objectViewer"
            ),
            Verdict.WRONG,
            f"{account('load')} lacks objectAdmin/objectUser on state",
            "terraform apply",
        ),
        (
            "agent on landed",
            lambda g: g.resources.pop(("pubsub", f"v1/projects/{PROJECT}/topics/landed:getIamPolicy")),
            Verdict.WRONG,
            "may not publish: nothing tells of landed objects",
            f"--member serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
        ),
        (
            "agent on extract-inc-alpha-dead",
            lambda g: g.resources.pop(("pubsub", f"v1/projects/{PROJECT}/topics/extract-inc-alpha-dead:getIamPolicy")),
            Verdict.WRONG,
            "nothing forwards dead letters",
            "gcp-sa-pubsub",
        ),
        (
            "subscription extract-inc-alpha",
            lambda g: g.entries("pubsub", "subscriptions").pop(1),
            Verdict.WRONG,
            "its dead letters have no subscription and are lost",
            "terraform apply",
        ),
        (
            "subscription extract-inc-alpha",
            lambda g: g.entries("pubsub", "subscriptions")[0].pop("deadLetterPolicy"),
            Verdict.WRONG,
            "forwards dead letters to nothing",
            "terraform apply",
        ),
        (
            "subscription extract-inc-beta",
            lambda g: g.entries("pubsub", "subscriptions")[3].update(expirationPolicy={"ttl": "2678400s"}),
            Verdict.WRONG,
            "extract-inc-beta-dead expires",
            "terraform apply",
        ),
        (
            "dead letters of landed",
            lambda g: g.entries("monitoring", "timeSeries")[2]["points"][0]["value"].update(int64Value="7"),
            Verdict.WARNING,
            "7 wait",
            'make dead-letters ARGS="list --topic landed"',
        ),
        (
            "dead letters",
            lambda g: g.entries("monitoring", "timeSeries").clear(),
            Verdict.UNKNOWN,
            "no figures",
            "make dead-letters",
        ),
        (
            "secret incident-io-alpha",
            lambda g: g.lists[
                "secretmanager", f"v1/projects/{PROJECT}/secrets/incident-io-alpha/versions"
            ][1].clear(),
            Verdict.WRONG,
            "has no enabled version",
            f"gcloud secrets versions add incident-io-alpha --data-file=- --project {PROJECT}",
        ),
        (
            "secret incident-io-beta",
            lambda g: g.lists[
                "secretmanager", f"v1/projects/{PROJECT}/secrets/incident-io-beta/versions"
            ][1][0].update(createTime="2024-11-20T00:00:00Z"),
            Verdict.WARNING,
            "730 days old",
            "rotate-a-key",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_what_mends_it(
    name: str, breaks: Break, verdict: Verdict, seen: str, remedy: str
) -> None:
    """And nothing else is."""
    google = GoogleProject(REGISTRY)
    breaks(google)
    (check,) = _not_ok(google)
    assert (check.name, check.verdict) == (name, verdict)
    assert seen in check.seen
    assert remedy in check.remedy


def test_what_may_not_be_looked_at_is_unknown_and_the_rest_is_looked_at() -> None:
    google = GoogleProject(REGISTRY)
    google.refused = {
        "secretmanager": PermanentError("HTTP 403: secretmanager.versions.list"),
        "monitoring": TransientError("503"),
    }
    checks = _checks(google)
    assert [(c.name, c.verdict) for c in checks if c.verdict is not Verdict.OK] == [
        ("dead letters", Verdict.UNKNOWN),
        ("secrets", Verdict.UNKNOWN),
    ]
    assert not healthy(checks)


def test_a_project_that_is_not_there_says_how_to_log_in() -> None:
    google = GoogleProject(REGISTRY)
    del google.resources["cloudresourcemanager", f"v3/projects/{PROJECT}"]
    (check,) = _not_ok(google)
    assert "gcloud auth login" in check.seen


def test_what_is_switched_off_needs_nothing() -> None:
    google = GoogleProject(registry_of("alpha", enabled=False))
    project = Project(Settings.from_env(ENVIRONMENT), registry_of("alpha", enabled=False), google, at(7))
    google.entries("pubsub", "subscriptions")[:2] = []
    google.lists["secretmanager", f"v1/projects/{PROJECT}/secrets/incident-io-alpha/versions"][1].clear()
    assert [c for c in examine(looks(project)) if c.verdict is not Verdict.OK] == []


SNOWFLAKE = SnowflakeSettings("acme", "LOADER", "LOADER", "ETL_SMALL", "RAW", "PUBLIC", "LANDING", "key", None, None)


class Probe:
    """Lets everybody in, and refuses the statements that hold one of these texts."""

    def __init__(
        self,
        *refused: str,
        login: Exception | None = None,
        grants: dict[str, list[tuple[str, str, str]]] | None = None,
        owners: dict[str, str] | None = None,
    ) -> None:
        self.refused, self.statements, self._login = refused, list[str](), login
        self._grants = GRANTS if grants is None else grants
        self._owners = {"FACT_INCIDENTS": "RAW_OWNER"} if owners is None else owners

    def login(self) -> str:
        """See SnowflakeProbe."""
        if self._login is not None:
            raise self._login
        return "LOADER as LOADER on ETL_SMALL"

    def try_out(self, statement: str) -> str | None:
        """See SnowflakeProbe."""
        self.statements.append(statement)
        return "Insufficient privileges" if any(text in statement for text in self.refused) else None

    def show(self, statement: str) -> list[dict[str, str]]:
        """See SnowflakeProbe."""
        self.statements.append(statement)
        if problem := self.try_out(statement):
            raise WarehouseRefused(problem)
        if statement == 'SHOW TABLES IN SCHEMA "RAW"."PUBLIC"':
            return [{"name": name, "owner": owner} for name, owner in self._owners.items()]
        role = statement.removeprefix('SHOW GRANTS TO ROLE "').removesuffix('"')
        return [dict(zip(("privilege", "granted_on", "name"), grant, strict=True)) for grant in self._grants[role]]


GRANTS = {
    "LOADER": [("USAGE", "DATABASE", "RAW"), ("USAGE", "ROLE", "RAW_OWNER")],
    "RAW_OWNER": [("CREATE TABLE", "SCHEMA", "RAW.PUBLIC"), ("OWNERSHIP", "TABLE", "RAW.PUBLIC.FACT_INCIDENTS")],
}
"""As the infrastructure gives them."""


def test_snowflake_is_tried_out_without_changing_anything() -> None:
    probe = Probe()
    checks = list(examine_snowflake(SNOWFLAKE, probe))
    assert [check.verdict for check in checks] == [Verdict.OK] * 4
    assert {statement.split()[0] for statement in probe.statements} <= {"SHOW", "LIST", "SELECT"}
    assert all('"RAW"."PUBLIC"' in s for s in probe.statements if s.startswith(("SHOW", "LIST")))


@pytest.mark.parametrize(
    ("refused", "name", "remedy"),
    [
        ("SHOW TABLES", "Snowflake schema RAW.PUBLIC", "GRANT USAGE ON SCHEMA RAW.PUBLIC TO ROLE LOADER"),
        ("LIST @", "Snowflake stage LANDING", "GRANT USAGE ON STAGE RAW.PUBLIC.LANDING"),
        ("SELECT", "Snowflake warehouse ETL_SMALL", "GRANT USAGE ON WAREHOUSE ETL_SMALL"),
    ],
)
def test_a_missing_grant_is_told_with_its_statement(refused: str, name: str, remedy: str) -> None:
    (check,) = [c for c in examine_snowflake(SNOWFLAKE, Probe(refused)) if c.verdict is not Verdict.OK]
    assert (check.name, check.seen) == (name, "Insufficient privileges")
    assert remedy in check.remedy


def test_a_role_may_what_those_may_that_it_is_a_member_of() -> None:
    probe = Probe()
    assert [check.verdict for check in examine_grants(SNOWFLAKE, probe)] == [Verdict.OK] * 2
    circle = {**GRANTS, "RAW_OWNER": [*GRANTS["RAW_OWNER"], ("USAGE", "ROLE", "LOADER")]}
    assert [check.verdict for check in examine_grants(SNOWFLAKE, Probe(grants=circle))] == [Verdict.OK] * 2
    owner = {"LOADER": [("OWNERSHIP", "SCHEMA", '"RAW"."PUBLIC"')]}
    checks = list(examine_grants(SNOWFLAKE, Probe(grants=owner, owners={})))
    assert [check.verdict for check in checks] == [Verdict.OK] * 2


def test_a_role_that_may_make_no_tables() -> None:
    elsewhere = {"LOADER": [("CREATE TABLE", "SCHEMA", "RAW.OTHER"), ("USAGE", "SCHEMA", "RAW.PUBLIC")]}
    (check,) = [c for c in examine_grants(SNOWFLAKE, Probe(grants=elsewhere, owners={})) if c.verdict is Verdict.WRONG]
    assert check.remedy == "GRANT CREATE TABLE ON SCHEMA RAW.PUBLIC TO ROLE LOADER"


def test_a_table_of_somebody_else_is_named() -> None:
    """Made by hand, it cannot get a contract's new column."""
    probe = Probe(owners={"FACT_INCIDENTS": "RAW_OWNER", "By hand": "SYSADMIN"})
    (check,) = [c for c in examine_grants(SNOWFLAKE, probe) if c.verdict is Verdict.WRONG]
    assert check.seen == "By hand belongs to SYSADMIN"
    assert check.remedy == 'GRANT OWNERSHIP ON TABLE RAW.PUBLIC."By hand" TO ROLE LOADER COPY CURRENT GRANTS'


def test_grants_that_are_not_shown_are_unknown() -> None:
    checks = list(examine(snowflake_looks(SNOWFLAKE, Probe("SHOW GRANTS"))))
    assert [check.verdict for check in checks] == [Verdict.OK] * 4 + [Verdict.UNKNOWN]


def test_a_refused_login_is_all_that_is_told_of_snowflake() -> None:
    probe = Probe(login=WarehouseRefused("JWT token is invalid"))
    (check,) = examine(snowflake_looks(SNOWFLAKE, probe))
    assert (check.verdict, check.seen, probe.statements) == (Verdict.UNKNOWN, "JWT token is invalid", [])


@pytest.mark.parametrize(("version", "good"), [((3, 11, 0), True), ((3, 14, 1), True), ((3, 10, 14), False)])
def test_python_is_new_enough(version: Sequence[int], good: bool) -> None:
    (check,) = machine.python_version(version)
    assert (check.verdict is Verdict.OK) == good


def test_the_environment_is_there_and_not_older_than_its_lock(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("x")
    assert [c.remedy for c in machine.environment(tmp_path)] == ["make setup"]
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".installed").touch()
    assert [c.verdict for c in machine.environment(tmp_path)] == [Verdict.OK]


def test_a_package_that_does_not_import_is_named() -> None:
    first, second = machine.packages(["json", "no_such_package"])
    assert (first.verdict, second.verdict, second.name) == (Verdict.OK, Verdict.WRONG, "package no_such_package")


def test_little_room_and_busy_ports_are_told(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        (check,) = machine.ports([server.getsockname()[1]])
    assert check.verdict is Verdict.WARNING
    assert [c.verdict for c in machine.disk(tmp_path, 2**30)] == [Verdict.WARNING]
    assert [c.verdict for c in machine.disk(tmp_path, 2**33)] == [Verdict.OK]


def test_checks_are_told_to_people_and_to_programs() -> None:
    checks = [ok("a", "fine"), warning("b", "old", "renew"), wrong("c", "gone", "create"), unknown("d", "no", "log in")]
    text = as_text(checks)
    assert "→ create" in text
    assert text.endswith("1 ok, 1 warning, 1 wrong, 1 unknown")
    assert as_json(checks)[2] == {"name": "c", "seen": "gone", "verdict": "wrong", "remedy": "create"}
    assert not healthy(checks)
    assert healthy(checks[:2])
