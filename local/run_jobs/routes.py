"""The HTTP side: the paths of the Admin API v2, and faults for tests."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gcs.errors import ApiError
from local.gcs.faults import Connections, Faults, drops_response
from local.run_jobs.executions import Executions, Overrides, UnknownJob

_JOB = "/v2/projects/{project}/locations/{location}/jobs/{job}"
_STATUSES = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 503: "UNAVAILABLE"}


def _error(status: int, message: str) -> Response:
    detail = {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}
    return JSONResponse({"error": detail}, status)


class Routes:
    """Answers requests from the executions of one server."""

    def __init__(self, executions: Executions, faults: Faults, connections: Connections) -> None:
        self._executions = executions
        self._faults = faults
        self._connections = connections

    async def run(self, request: Request) -> Response:
        """Start a job. A fault is met before the start (error) or after it (drop_response)."""
        try:
            body = json.loads(await request.body() or b"{}")
            overrides = Overrides.parse(body)
        except (ValueError, AttributeError) as error:
            return _error(400, str(error))
        project, location, job = (request.path_params[part] for part in ("project", "location", "job"))
        try:
            await self._faults.apply(request, job)
            execution = await self._executions.start(f"projects/{project}/locations/{location}", job, overrides)
        except UnknownJob as error:
            return _error(404, str(error))
        except ApiError as error:
            return _error(error.status, error.message)
        if drops_response(request):
            await self._connections.cut(request.scope)
        return JSONResponse(execution.operation_resource())

    async def job(self, request: Request) -> Response:
        """The job's resource, as far as there is one."""
        name = request.url.path.removeprefix("/v2/")
        runs = self._executions.of_job(name)
        if runs is None:
            return _error(404, f"Resource '{name}' of kind 'JOB' does not exist.")
        return JSONResponse({"name": name, "executionCount": len(runs), "launchStage": "GA"})

    async def list_executions(self, request: Request) -> Response:
        """All executions of a job, newest first, in one page."""
        job = request.url.path.removeprefix("/v2/").removesuffix("/executions")
        runs = self._executions.of_job(job)
        if runs is None:
            return _error(404, f"Resource '{job}' of kind 'JOB' does not exist.")
        return JSONResponse({"executions": [run.resource() for run in runs]})

    async def execution(self, request: Request) -> Response:
        """One execution."""
        run = self._executions.get(request.url.path.removeprefix("/v2/"))
        return JSONResponse(run.resource()) if run else _error(404, "The execution does not exist.")

    async def cancel(self, request: Request) -> Response:
        """Cancel an execution; the answer is its operation."""
        run = self._executions.get(request.url.path.removeprefix("/v2/").removesuffix(":cancel"))
        if run is None:
            return _error(404, "The execution does not exist.")
        await self._executions.cancel(run)
        return JSONResponse(run.operation_resource())

    async def operation(self, request: Request) -> Response:
        """The operation of a run as it stands."""
        run = self._executions.of_operation(request.url.path.removeprefix("/v2/"))
        return JSONResponse(run.operation_resource()) if run else _error(404, "The operation does not exist.")

    async def faults(self, request: Request) -> Response:
        """See, replace or clear the faults."""
        try:
            if request.method == "PUT":
                self._faults.replace(json.loads(await request.body()))
            elif request.method == "DELETE":
                self._faults.replace([])
        except (ValueError, ApiError) as error:
            return _error(400, str(error))
        return JSONResponse(self._faults.as_json())


def application(jobs: Mapping[str, Sequence[str]], log_dir: Path, connections: Connections) -> Starlette:
    """The ASGI application for these jobs; starting one needs a running event loop, so it begins with the lifespan."""
    current: dict[str, Routes] = {}

    def to(method: Callable[[Routes, Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            response: Response = await method(current["routes"], request)
            return response

        return endpoint

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        executions = Executions(jobs, log_dir)
        current["routes"] = Routes(executions, Faults(), connections)
        try:
            yield
        finally:
            await executions.close()

    routes = [
        Route("/_emulator/faults", to(Routes.faults), methods=["GET", "PUT", "DELETE"]),
        Route(_JOB + ":run", to(Routes.run), methods=["POST"]),
        Route(_JOB, to(Routes.job)),
        Route(_JOB + "/executions", to(Routes.list_executions)),
        Route(_JOB + "/executions/{execution}:cancel", to(Routes.cancel), methods=["POST"]),
        Route(_JOB + "/executions/{execution}", to(Routes.execution)),
        Route("/v2/projects/{project}/locations/{location}/operations/{operation}", to(Routes.operation)),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
