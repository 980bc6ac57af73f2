"""`make webhook`: one event as incident.io sends it, from its signature to the mart."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import httpx

from local.addresses import BUCKETS, Addresses
from local.scheduler import move_clock, next_window, tick
from local.stack import double_keys, webhook_secret
from local.warehouse import as_table, query_if_built
from local.watch import BuildFailed, TookTooLong, artifacts, state, wait_for, wait_for_builds, window_closed
from shared import wiring
from shared.registry import registry
from shared.spool import spooled_name
from shared.webhooks.signature import parse_keys, sign
from shared.webhooks.workspaces import read_webhook_secrets

EVENT_TYPE = "public_incident.incident_updated_v2"
STREAM = "ops_incidents_stream"
"""The pipeline that reads the spool."""


def send_sample(addresses: Addresses, workspace: str) -> int:
    """Tell the stack that an incident of the workspace changed, twice as senders do, and follow it; the exit code."""
    secrets = read_webhook_secrets()
    if workspace not in secrets:
        print(f"Unknown workspace {workspace!r}; the registry knows: {', '.join(sorted(secrets))}", file=sys.stderr)
        return 1
    incident = _an_incident(addresses, workspace)
    body = json.dumps({"event_type": EVENT_TYPE, EVENT_TYPE: incident}).encode()
    webhook_id = f"msg_local{wiring.new_token()}"
    for attempt in ("sent", "sent again"):
        status = _send(addresses, workspace, secrets[workspace], webhook_id, body)
        print(f"{attempt}: {EVENT_TYPE} of {incident['reference']} to /incident-io/{workspace}: HTTP {status}")
        if status >= 300:
            return 1
    if not _show_spooled(spooled_name(workspace, webhook_id)):
        return 1
    if STREAM not in registry().pipelines:
        print(f"The registry has no pipeline {STREAM} yet: the event waits in the spool.")
        return 0
    return _drain(addresses, workspace, incident["id"])


def _send(addresses: Addresses, workspace: str, reference: str, webhook_id: str, body: bytes) -> int:
    (key,), _ = parse_keys(webhook_secret(reference))
    timestamp = str(int(datetime.now(UTC).timestamp()))
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(key, webhook_id, timestamp, body),
    }
    url = f"http://127.0.0.1:{addresses.webhook}/incident-io/{workspace}"
    return httpx.post(url, content=body, headers=headers, timeout=15).status_code


def _an_incident(addresses: Addresses, workspace: str) -> dict[str, Any]:
    """An incident of the workspace as its double shows it now."""
    source = registry().source(f"incident_io_{workspace}_incidents")
    key = double_keys()[f"OPP_SECRET_{source.secret.upper().replace('-', '_')}"]
    found = httpx.get(
        f"http://127.0.0.1:{addresses.sources}/{source.family}/v2/incidents",
        params={"page_size": 1},
        headers={source.auth.header: f"{source.auth.scheme} {key}"},
        timeout=60,
    ).raise_for_status()
    incident: dict[str, Any] = found.json()["incidents"][0]
    return incident


def _show_spooled(name: str) -> bool:
    stored = wiring.bucket(BUCKETS["spool"]).stat(name)
    if stored is None:
        print(f"gs://{BUCKETS['spool']}/{name} is not there", file=sys.stderr)
        return False
    print(f"spooled: gs://{BUCKETS['spool']}/{name}, {stored.size} bytes")
    for key, value in sorted(stored.metadata.items()):
        print(f"  {key:<12} {value}")
    return True


def _drain(addresses: Addresses, workspace: str, incident_id: str) -> int:
    window = next_window(addresses, STREAM)
    move_clock(addresses, window.end)
    documents = state()
    try:
        sources = tick(STREAM, window)
        seconds = wait_for(f"window {window.id}", lambda: window_closed(documents, window), 120)
        print(f"{STREAM}: {sources} sources read window {window.id} in {seconds:.1f} s")
        wait_for_builds(documents, artifacts(), 180)
    except (TookTooLong, BuildFailed) as exc:
        print(exc, file=sys.stderr)
        return 1
    found = query_if_built(
        addresses,
        "select workspace, incident_reference, status_name, severity_name, updated_at "
        f"from analytics.marts.fct_ops__incidents where workspace = '{workspace}' and incident_id = '{incident_id}'",
    )
    if found is None or not found[1]:
        print(f"incident {incident_id} is not in the mart", file=sys.stderr)
        return 1
    print(as_table(*found))
    return 0
