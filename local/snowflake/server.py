"""The server: one process, one directory of databases."""

import asyncio
import contextlib
import logging
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
import uvicorn
from fakesnow.transforms import stage
from starlette.applications import Starlette

from local.snowflake.clients import watching
from local.snowflake.pins import check_pins
from local.snowflake.reaper import reap
from local.snowflake.routes import Service
from local.snowflake.stages import StageRoots
from local.snowflake.store import Store

# Statements waiting for the writer lock keep a thread each; the holder's COMMIT must find a free one
_THREADS = 256
_SHUTDOWN_SECONDS = 3
# never close an idle connection from this side: a closed one means that the client is gone
_KEEP_ALIVE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Options:
    """How to run it."""

    db_path: Path
    port: int
    host: str = "127.0.0.1"
    stage_roots: dict[str, Path] = field(default_factory=dict)
    idle_transaction_seconds: float = 10.0
    memory_limit: str = "4GB"


def application(service: Service, idle_transaction_seconds: float) -> Starlette:
    """The ASGI application; closes the databases when it ends."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        reaper = asyncio.create_task(reap(service.sessions, service.clients, idle_transaction_seconds))
        try:
            yield
        finally:
            reaper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reaper
            service.close()

    return Starlette(routes=service.routes(), lifespan=lifespan)


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises `WrongVersion`, or duckdb.IOException if the files are in use."""
    check_pins()
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    # it reports each SHOW PARAMETERS as unsupported syntax, which is answered here all the same
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    _move_internal_stages(options.db_path.resolve() / "stages")
    service = Service(Store(options.db_path.resolve(), options.memory_limit), StageRoots(options.stage_roots))
    config = uvicorn.Config(
        application(service, options.idle_transaction_seconds),
        host=options.host,
        port=options.port,
        http=watching(service.clients),
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        log_level="warning",
        access_log=False,
    )
    uvicorn.Server(config).run()


def _move_internal_stages(folder: Path) -> None:
    """Keep them beside the databases: fakesnow makes a folder of its own for each process, and nobody removes it."""
    Path(stage.LOCAL_BUCKET_PATH).rmdir()
    stage.LOCAL_BUCKET_PATH = str(folder)
