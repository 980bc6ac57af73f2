"""The source that extraction is measured against: the synthetic double, its pages deflated as a front end does it.

`python -m tests.bench.double --port P --records N`
"""

import argparse

import uvicorn
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from local.sources.incident_io.synthetic import SyntheticIncidents, create_synthetic_app

WORKSPACE, KEY = "companya", "key-of-companya"
SOURCE = "incident_io_companya_incidents"


class Uncompressed:
    """The application without its own deflated pages: they are made to be served fast, not like a vendor's."""

    def __init__(self, inside: ASGIApp) -> None:
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGIApp."""
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "headers": headers}
        await self._inside(scope, receive, send)


def main() -> None:
    """Serve on 127.0.0.1 until a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--records", type=int, required=True)
    chosen = parser.parse_args()
    app = create_synthetic_app(SyntheticIncidents(chosen.records, seed=7), {WORKSPACE: KEY})
    served = GZipMiddleware(Uncompressed(app), compresslevel=6)
    uvicorn.run(served, host="127.0.0.1", port=chosen.port, log_level="critical", lifespan="off", ws="none")


if __name__ == "__main__":
    main()
