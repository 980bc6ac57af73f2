"""What no file of the configuration may hold, whatever the registry says."""

import re

import pytest

from tests.infra.configuration import TERRAFORM, everything

FILES = everything()
ROLES = {(name, role) for name, text in FILES.items() for role in re.findall(r'"(roles/[\w.]+)"', text)}

PRIMITIVE = {"roles/owner", "roles/editor", "roles/viewer"}
BY_PROJECT = {
    "apis.tf": "google's own agents act in the whole project",
    "packages.tf": "the builder's logs, and a bucket whose name is not known before, by condition",
    "ci.tf": "its builds' logs, and roles that a person names",
}
"""Files that grant something in the whole project, and why."""


def test_there_are_roles_to_speak_of() -> None:
    """A changed way of writing must not make these tests empty."""
    assert len(ROLES) > 15


def test_nobody_gets_a_primitive_role() -> None:
    """The variable for continuous integration refuses them by name, and that is the one place where they stand."""
    assert {name for name, role in ROLES if role in PRIMITIVE} == {"variables.tf"}


@pytest.mark.parametrize("word", ["_iam_policy", "_iam_binding", "google_service_account_key"])
def test_grants_add_one_member_and_no_key_is_made(word: str) -> None:
    """A policy or a binding would take away what others granted; a key would be in the state."""
    assert [name for name, text in FILES.items() if word in text] == []


def test_no_value_of_a_secret_is_in_the_state() -> None:
    """No secret's version, no password, no token, no private key."""
    for word in ("google_secret_manager_secret_version", "secret_data", "private_key", "password", "auth_token"):
        found = [name for name, text in FILES.items() if re.search(rf'(?m)^\s*{word}\s*=|resource "{word}"', text)]
        assert found == [], word


def test_only_the_webhook_is_open_to_everybody() -> None:
    """It checks signatures itself."""
    assert {name for name, text in FILES.items() if '"allUsers"' in text} == {"webhook.tf"}
    assert all("allAuthenticatedUsers" not in text for text in FILES.values())
    assert {name for name, text in FILES.items() if re.search(r"(?m)^\s+public\s+= true", text)} == {"webhook.tf"}


def test_what_is_granted_in_the_whole_project_has_its_reason() -> None:
    """Everything else is granted on the bucket, topic, secret, job or account that it is about."""
    assert {name for name, text in FILES.items() if '"google_project_iam_member"' in text} == set(BY_PROJECT)


def test_administrators_roles_are_given_to_nobody() -> None:
    """A function that could change grants could take everything."""
    assert [role for _, role in ROLES if re.search(r"[aA]dmin$", role)] == []


def test_no_credential_is_written_into_an_example() -> None:
    """Public keys are placeholders; of private ones there is no word."""
    for path in (TERRAFORM / "environments").glob("*.tfvars"):
        text = path.read_text()
        assert "PRIVATE" not in text
        assert re.findall(r"REPLACE\+WITH", text)
