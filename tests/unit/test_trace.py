"""A request's trace, as Cloud Logging names it."""

import pytest

from shared.trace import cloud_trace


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        ("abc123/456;o=1", "projects/p/traces/abc123"),
        ("abc123", "projects/p/traces/abc123"),
        (None, None),
        ("", None),
        ("/456", None),
        ("../x/1", None),
    ],
)
def test_the_trace_is_the_request_s_own(header: str | None, trace: str | None) -> None:
    """In Cloud Logging's form, or none."""
    assert cloud_trace("p", header) == trace
