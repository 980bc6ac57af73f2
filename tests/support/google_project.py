"""A Google Cloud project in memory, as its REST interfaces show it: healthy until a test breaks something."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.operate.doctor.cloud import APIS
from shared.redelivery import dead_topic, pushed_topics
from shared.registry.load import Registry

PROJECT, REGION, NUMBER = "opp-doctor", "europe-west1", "123456789"
ENVIRONMENT = {
    "OPP_PROJECT": PROJECT,
    "OPP_REGION": REGION,
    **{f"OPP_{p.upper()}_BUCKET": f"{PROJECT}-{p}" for p in ("landing", "state", "spool", "quarantine", "artifacts")},
}

_ROLES = {
    "extract": {"landing": "objectCreator", "state": "objectUser", "quarantine": "objectUser"},
    "load": {"landing": "objectViewer", "state": "objectUser", "quarantine": "objectCreator"},
    "sweep": {"landing": "objectViewer", "state": "objectUser", "quarantine": "objectCreator"},
    "webhook": {"spool": "objectCreator"},
}


class GoogleProject:
    """Resources by service and path; lists come in pages of `page_size`."""

    def __init__(self, registry: Registry, page_size: int = 10) -> None:
        self.page_size = page_size
        self.refused: dict[str, Exception] = {}
        self.resources: dict[tuple[str, str], dict[str, Any]] = {
            ("cloudresourcemanager", f"v3/projects/{PROJECT}"): {"name": f"projects/{NUMBER}"},
        }
        self.lists: dict[tuple[str, str], tuple[str, list[Any]]] = {}
        self._list("serviceusage", f"v1/projects/{PROJECT}/services", "services", [
            {"config": {"name": f"{api}.googleapis.com"}} for api in APIS
        ])  # fmt: skip
        self._buckets()
        self._functions()
        self._pubsub(registry)
        self._secrets(registry)

    def get(self, service: str, path: str, query: Any = None) -> dict[str, Any] | None:
        """See GoogleApis."""
        for refused, error in self.refused.items():
            if refused in f"{service}/{path}":
                raise error
        if (service, path) not in self.lists:
            return self.resources.get((service, path))
        field, entries = self.lists[service, path]
        start = int((query or {}).get("pageToken", "0"))
        end = start + self.page_size
        return {field: entries[start:end], **({"nextPageToken": str(end)} if end < len(entries) else {})}

    def answer(self, target: str) -> tuple[int, str]:
        """Status and body over HTTP; the first folder of the path names the service."""
        url = urlsplit(target)
        service, _, path = url.path.lstrip("/").partition("/")
        found = self.get(service, path, {name: values[0] for name, values in parse_qs(url.query).items()})
        return (404, "{}") if found is None else (200, json.dumps(found))

    def entries(self, service: str, name: str) -> list[Any]:
        """A list, to be changed; it is the one whose path ends so."""
        (found,) = [
            entries for (s, path), (_, entries) in self.lists.items() if s == service and path.endswith(f"/{name}")
        ]
        return found

    def bucket(self, purpose: str) -> dict[str, Any]:
        """A bucket's description, to be changed."""
        return self.resources["storage", f"storage/v1/b/{PROJECT}-{purpose}"]

    def bindings(self, purpose: str) -> list[dict[str, Any]]:
        """A bucket's bindings, to be changed."""
        found: list[dict[str, Any]] = self.resources["storage", f"storage/v1/b/{PROJECT}-{purpose}/iam"]["bindings"]
        return found

    def _list(self, service: str, path: str, field: str, entries: list[Any]) -> None:
        self.lists[service, path] = (field, entries)

    def _buckets(self) -> None:
        for purpose in ("landing", "state", "spool", "quarantine", "artifacts"):
            name = f"storage/v1/b/{PROJECT}-{purpose}"
            self.resources["storage", name] = {"location": REGION.upper(), "versioning": {"enabled": True}}
            bindings = [
                {"role": f"roles/storage.{of[purpose]}", "members": [f"serviceAccount:{account(kind)}"]}
                for kind, of in _ROLES.items()
                if purpose in of
            ]
            self.resources["storage", f"{name}/iam"] = {"bindings": bindings}

    def _functions(self) -> None:
        path = f"v2/projects/{PROJECT}/locations/{REGION}/functions"
        deployed = [
            {
                "name": f"{path}/{kind}",
                "state": "ACTIVE",
                "buildConfig": {"entryPoint": kind},
                "serviceConfig": {"serviceAccountEmail": account(kind)},
            }
            for kind in _ROLES
        ]
        self._list("cloudfunctions", path, "functions", deployed)

    def _pubsub(self, registry: Registry) -> None:
        subscriptions, series = [], []
        for topic in pushed_topics(registry):
            dead = dead_topic(topic)
            subscriptions += [
                {
                    "name": f"projects/{PROJECT}/subscriptions/{topic}",
                    "pushConfig": {"pushEndpoint": "https://function"},
                    "deadLetterPolicy": {"deadLetterTopic": f"projects/{PROJECT}/topics/{dead}"},
                    "expirationPolicy": {},
                },
                {"name": f"projects/{PROJECT}/subscriptions/{dead}", "expirationPolicy": {}},
            ]
            for name, agent in ((dead, "gcp-sa-pubsub"), (topic, "gs-project-accounts")):
                member = f"serviceAccount:service-{NUMBER}@{agent}.iam.gserviceaccount.com"
                policy = {"bindings": [{"role": "roles/pubsub.publisher", "members": [member]}]}
                self.resources["pubsub", f"v1/projects/{PROJECT}/topics/{name}:getIamPolicy"] = policy
            series.append(
                {
                    "resource": {"labels": {"subscription_id": dead}},
                    "points": [{"value": {"int64Value": "0"}}, {"value": {"int64Value": "3"}}],
                }
            )
        self._list("pubsub", f"v1/projects/{PROJECT}/subscriptions", "subscriptions", subscriptions)
        self._list("monitoring", f"v3/projects/{PROJECT}/timeSeries", "timeSeries", series)

    def _secrets(self, registry: Registry) -> None:
        webhooks = (source.settings.get("webhook_secret") for source in registry.sources.values())
        for secret in {*(source.secret for source in registry.sources.values()), *filter(None, webhooks)}:
            path = f"v1/projects/{PROJECT}/secrets/{secret}/versions"
            self._list("secretmanager", path, "versions", [{"createTime": "2026-10-01T08:00:00.123456Z"}])


def account(entry_point: str) -> str:
    """The service account of an entry point."""
    return f"{entry_point}@{PROJECT}.iam.gserviceaccount.com"
