"""The functions and everything around them, started once."""

from collections.abc import Iterator

import pytest

from tests.contract.servers import serving
from tests.functions.platform import Platform, running_platform
from tests.functions.vendor import Vendor


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Vendor]]:
    with serving() as server:
        vendor = Vendor(server)
        server.answer = vendor.answer
        with running_platform(tmp_path_factory.mktemp("functions"), server.url) as platform:
            yield platform, vendor


@pytest.fixture
def platform(_running: tuple[Platform, Vendor]) -> Platform:
    return _running[0]


@pytest.fixture
def vendor(_running: tuple[Platform, Vendor]) -> Vendor:
    """The source, as it is when nothing is wrong and nothing happened."""
    vendor = _running[1]
    vendor.incidents, vendor.identity, vendor.listing = [], None, None
    return vendor
