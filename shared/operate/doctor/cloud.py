"""Whether a Google Cloud project has what the platform needs: asked over the services' REST interfaces, read-only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.errors import PermanentError
from shared.instants import from_text
from shared.operate.doctor.check import Check, Looks, ok, unknown, warning, wrong
from shared.redelivery import dead_topic, pushed_topics
from shared.registry.load import Registry
from shared.settings import Settings

APIS = (
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler", "iam",
    "iamcredentials", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
)  # fmt: skip

READ = frozenset({"roles/storage.objectViewer", "roles/storage.objectUser", "roles/storage.objectAdmin"})
CREATE = frozenset({"roles/storage.objectCreator", "roles/storage.objectUser", "roles/storage.objectAdmin"})
WRITE = frozenset({"roles/storage.objectUser", "roles/storage.objectAdmin"})

BUCKETS_OF: Mapping[str, Mapping[str, frozenset[str]]] = {
    "extract": {"landing": CREATE, "state": WRITE, "quarantine": CREATE},
    "load": {"landing": READ, "state": WRITE, "quarantine": CREATE},
    "sweep": {"landing": READ, "state": WRITE, "quarantine": CREATE},
    "webhook": {"spool": CREATE},
}
"""What each entry point does to the buckets; any role of a set lets it."""

_PUBLISH = "roles/pubsub.publisher"
_KEY_OLD = timedelta(days=365)


class GoogleApis(Protocol):
    """Google's REST interfaces, reading."""

    def get(self, service: str, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """The resource; None when there is none.

        Raises PermanentError when it is refused, TransientError when the service fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class Project:
    """What is examined, and by what."""

    settings: Settings
    registry: Registry
    apis: GoogleApis
    now: datetime

    @property
    def id(self) -> str:
        """The project's id."""
        return self.settings.project

    def every(self, service: str, path: str, field: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The entries of a list, page by page."""
        token = ""
        while True:
            page = self.apis.get(service, path, {**(query or {}), **({"pageToken": token} if token else {})}) or {}
            yield from page.get(field, [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def number(self) -> str:
        """The project's number, as its agents' names hold it. Raises PermanentError without the project."""
        found = self.apis.get("cloudresourcemanager", f"v3/projects/{self.id}")
        if found is None:
            raise PermanentError(f"project {self.id!r} does not exist, or you may not see it: gcloud auth login")
        return str(found["name"]).rpartition("/")[2]


def looks(project: Project) -> list[tuple[str, Looks]]:
    """Everything that is looked at in the project."""
    return [
        ("APIs", lambda: apis(project)),
        ("buckets", lambda: buckets(project)),
        ("functions", lambda: functions(project)),
        ("service agents", lambda: agents(project)),
        ("subscriptions", lambda: subscriptions(project)),
        ("dead letters", lambda: dead_letters(project)),
        ("secrets", lambda: secrets(project)),
    ]


def apis(project: Project) -> Iterator[Check]:
    """Enabled."""
    query = {"filter": "state:ENABLED", "pageSize": "200"}
    listed = project.every("serviceusage", f"v1/projects/{project.id}/services", "services", query)
    enabled = {str(service["config"]["name"]) for service in listed}
    missing = [name for api in APIS if (name := f"{api}.googleapis.com") not in enabled]
    if missing:
        remedy = f"gcloud services enable {' '.join(missing)} --project {project.id}"
        yield wrong("APIs", f"not enabled: {', '.join(missing)}", remedy)
    else:
        yield ok("APIs", f"all {len(APIS)} are enabled")


def buckets(project: Project) -> Iterator[Check]:
    """There, in the functions' region (a trigger reaches no bucket elsewhere), and the state kept in versions."""
    for purpose, name in _buckets(project.settings).items():
        bucket = project.apis.get("storage", f"storage/v1/b/{name}")
        if bucket is None:
            yield wrong(f"bucket {name}", "does not exist", "terraform apply")
            continue
        location = str(bucket["location"]).lower()
        if location != project.settings.region.lower():
            remedy = "set the region of the buckets to that of the functions in the tfvars; move the data, then apply"
            yield wrong(f"bucket {name}", f"in {location}, the functions in {project.settings.region}", remedy)
        elif purpose == "state" and not bucket.get("versioning", {}).get("enabled"):
            remedy = f"gcloud storage buckets update gs://{name} --versioning"
            yield wrong(f"bucket {name}", "keeps no versions: a deleted state could not be restored", remedy)
        else:
            yield ok(f"bucket {name}", f"in {location}")


def functions(project: Project) -> Iterator[Check]:
    """Deployed, and their accounts allowed what they do to the buckets."""
    path = f"v2/projects/{project.id}/locations/{project.settings.region}/functions"
    deployed = list(project.every("cloudfunctions", path, "functions"))
    policies = {
        p: _bindings(project, "storage", f"storage/v1/b/{n}/iam") for p, n in _buckets(project.settings).items()
    }
    found = {str(function.get("buildConfig", {}).get("entryPoint", "")) for function in deployed}
    for entry_point in sorted(BUCKETS_OF.keys() - found):
        yield wrong(f"function {entry_point}", "is not deployed", "terraform apply")
    for function in deployed:
        name = str(function["name"]).rpartition("/")[2]
        if function.get("state") != "ACTIVE":
            remedy = f"gcloud functions describe {name} --region {project.settings.region} --project {project.id}"
            yield wrong(f"function {name}", f"is {function.get('state')}", remedy)
            continue
        account = str(function.get("serviceConfig", {}).get("serviceAccountEmail", ""))
        needs = BUCKETS_OF.get(str(function.get("buildConfig", {}).get("entryPoint", "")), {})
        lacking = [
            f"{'/'.join(sorted(role.partition('.')[2] for role in roles))} on {purpose}"
            for purpose, roles in needs.items()
            if not roles & policies[purpose].get(f"serviceAccount:{account}", set())
        ]
        if lacking:
            yield wrong(f"function {name}", f"{account} lacks {'; '.join(lacking)}", "terraform apply")
        else:
            yield ok(f"function {name}", f"active as {account}")


def agents(project: Project) -> Iterator[Check]:
    """Google's own accounts may do their part: notify of objects, forward dead letters."""
    number = project.number()
    storage = f"serviceAccount:service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    pubsub = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    for topic, agent, what in (
        ("landed", storage, "tells of landed objects"),
        *((dead_topic(topic), pubsub, "forwards dead letters") for topic in _topics(project)),
    ):
        bindings = _bindings(project, "pubsub", f"v1/projects/{project.id}/topics/{topic}:getIamPolicy")
        if _PUBLISH in bindings.get(agent, set()):
            yield ok(f"agent on {topic}", what)
        else:
            remedy = (
                f"gcloud pubsub topics add-iam-policy-binding {topic} --member {agent} --role {_PUBLISH} "
                f"--project {project.id}; or terraform apply"
            )
            yield wrong(f"agent on {topic}", f"{agent} may not publish: nothing {what}", remedy)


def subscriptions(project: Project) -> Iterator[Check]:
    """One a topic, with a dead-letter topic that has a subscription; none that expires."""
    path = f"v1/projects/{project.id}/subscriptions"
    found = {str(s["name"]).rpartition("/")[2]: s for s in project.every("pubsub", path, "subscriptions")}
    for topic in _topics(project):
        subscription, dead = found.get(topic), found.get(dead_topic(topic))
        problems = []
        if subscription is None:
            problems.append("is missing")
        else:
            policy = str(subscription.get("deadLetterPolicy", {}).get("deadLetterTopic", ""))
            if not policy.endswith(f"/{dead_topic(topic)}"):
                problems.append(f"forwards dead letters to {policy or 'nothing'}")
            if not subscription.get("pushConfig", {}).get("pushEndpoint"):
                problems.append("pushes to nothing")
        if dead is None:
            problems.append("its dead letters have no subscription and are lost")
        problems += [
            f"{s['name'].rpartition('/')[2]} expires"
            for s in (subscription, dead)
            if s is not None and s.get("expirationPolicy", {}).get("ttl")
        ]
        if problems:
            yield wrong(f"subscription {topic}", "; ".join(problems), "terraform apply")
        else:
            yield ok(f"subscription {topic}", "pushes, and keeps its dead letters")


def dead_letters(project: Project) -> Iterator[Check]:
    """None waits."""
    query = {
        "filter": 'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages"',
        "interval.startTime": _rfc3339(project.now - timedelta(minutes=10)),
        "interval.endTime": _rfc3339(project.now),
    }
    waiting: dict[str, int] = {}
    for series in project.every("monitoring", f"v3/projects/{project.id}/timeSeries", "timeSeries", query):
        name = str(series["resource"]["labels"]["subscription_id"])
        if name.endswith(dead_topic("")) and series.get("points"):
            waiting[name] = int(series["points"][0]["value"]["int64Value"])
    letters = {name: count for name, count in waiting.items() if count}
    for name, count in sorted(letters.items()):
        topic = name.removesuffix(dead_topic(""))
        yield warning(f"dead letters of {topic}", f"{count} wait", f'make dead-letters ARGS="list --topic {topic}"')
    if not waiting:
        yield unknown("dead letters", "no figures in the last ten minutes", "make dead-letters")
    elif not letters:
        yield ok("dead letters", "none waits")


def secrets(project: Project) -> Iterator[Check]:
    """Every reference has an enabled version, and none is older than a year."""
    for reference in sorted(_references(project)):
        path = f"v1/projects/{project.id}/secrets/{reference}/versions"
        versions = list(project.every("secretmanager", path, "versions", {"filter": "state:ENABLED"}))
        add = f"gcloud secrets versions add {reference} --data-file=- --project {project.id}"
        if not versions:
            yield wrong(f"secret {reference}", "has no enabled version", add)
            continue
        newest = max(from_text(str(version["createTime"])) for version in versions)
        age = (project.now - newest).days
        if project.now - newest > _KEY_OLD:
            yield warning(f"secret {reference}", f"is {age} days old", f"docs/runbooks/rotate-a-key.md: {add}")
        else:
            yield ok(f"secret {reference}", f"is {age} days old")


def _references(project: Project) -> set[str]:
    enabled = [source for source in project.registry.sources.values() if source.enabled]
    webhooks = {str(source.settings["webhook_secret"]) for source in enabled if source.settings.get("webhook_secret")}
    snowflake = project.settings.snowflake
    keys = {snowflake.private_key_secret} if snowflake is not None and snowflake.private_key_secret else set()
    return {source.secret for source in enabled} | webhooks | keys


def _topics(project: Project) -> list[str]:
    return pushed_topics(project.registry, enabled_only=True)


def _buckets(settings: Settings) -> dict[str, str]:
    return {
        "landing": settings.landing_bucket,
        "state": settings.state_bucket,
        "spool": settings.spool_bucket,
        "quarantine": settings.quarantine_bucket,
        "artifacts": settings.artifacts_bucket,
    }


def _bindings(project: Project, service: str, path: str) -> dict[str, set[str]]:
    """Roles by member."""
    policy = project.apis.get(service, path) or {}
    roles: dict[str, set[str]] = {}
    bindings: Iterable[Mapping[str, Any]] = policy.get("bindings", [])
    for binding in bindings:
        for member in binding.get("members", []):
            roles.setdefault(str(member), set()).add(str(binding["role"]))
    return roles


def _rfc3339(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
