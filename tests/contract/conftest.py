"""One set of emulators for all contract tests."""

from collections.abc import Iterator

import pytest

from tests.contract.servers import Server, serving
from tests.contract.stack import LANDING, Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("contract"), LANDING) as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    """A loopback server that answers as the test tells it."""
    with serving() as running:
        yield running
