"""Snowflake's HTTP interface, as far as the Python connector and dbt use it.

Gaps: fakesnow answers an unexpected error with HTTP 500, which the connector retries until its network timeout (by
default for ever), so every failure of a statement is an SQL error here; its login sends no masterToken, without which
the connector never logs out; a retried request runs its statement again.
"""

import gzip
import json
import logging
import secrets
from typing import Any

from fakesnow.converter import from_binding
from fakesnow.server import bucket_upload, gcs_stage_info
from fakesnow.statement_type import DML_TYPE_IDS, SELECT
from fakesnow.transforms import SERVER_VERSION
from snowflake.connector.errors import DatabaseError, ProgrammingError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.snowflake.clients import Clients
from local.snowflake.context_functions import Context
from local.snowflake.cursor import Cursor
from local.snowflake.history import QueryHistory
from local.snowflake.parameters import DEFAULTS
from local.snowflake.results import encode, row_type
from local.snowflake.session import Session
from local.snowflake.stages import StageRoots
from local.snowflake.store import Store
from local.snowflake.writer_lock import WriterLock

_log = logging.getLogger("local.snowflake")
_MAX_KEPT_ANSWER = 1 << 20


class Service:
    """The sessions and what they share."""

    def __init__(self, store: Store, stages: StageRoots) -> None:
        self.store = store
        self.stages = stages
        self.lock = WriterLock()
        self.history = QueryHistory()
        self.clients = Clients()
        self.sessions: dict[str, Session] = {}
        self._running: dict[str, Session] = {}
        self._answered: dict[str, tuple[str, bytes]] = {}

    def routes(self) -> list[Route]:
        """What to serve."""
        return [
            Route("/session/v1/login-request", self.login, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/session/heartbeat", self.session, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/monitoring/queries/{sfqid}", self.monitoring, methods=["GET"]),
            Route("/telemetry/send", _nothing, methods=["POST"]),
            Route("/fs_bucket/{path:path}", bucket_upload, methods=["PUT"]),
        ]

    async def login(self, request: Request) -> Response:
        """Open a session; any user and any credentials will do."""
        body = _body(request, await request.body())
        data, query = body["data"], request.query_params
        context = Context(
            0,
            user=str(data.get("LOGIN_NAME") or "LOCAL").upper(),
            role=(query.get("roleName") or "PUBLIC").upper(),
            warehouse=(query.get("warehouse") or "").upper(),
            account=str(data.get("ACCOUNT_NAME") or "LOCAL").upper(),
        )

        def open_session() -> Session:
            session = Session(
                self.store, self.lock, self.history, self.stages,
                database=_unquoted(query.get("databaseName")), schema=_unquoted(query.get("schemaName")),
                context=context,
            )  # fmt: skip
            for name, value in (data.get("SESSION_PARAMETERS") or {}).items():
                session.set_parameter(name, value)
            return session

        try:
            session = await run_in_threadpool(open_session)
        except (ProgrammingError, DatabaseError) as error:
            return _failure(error)
        token = secrets.token_urlsafe(32)
        self.sessions[token] = session
        parameters = {
            **DEFAULTS,
            **session.parameters.given,
            "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
            # arrays of bound values come in the request, not over a stage
            "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
            "CLIENT_TELEMETRY_ENABLED": False,
        }
        return _success(
            {
                "token": token,
                "masterToken": token,
                "sessionId": session.number,
                "serverVersion": SERVER_VERSION,
                "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
                "sessionInfo": {
                    "databaseName": session.database,
                    "schemaName": session.schema,
                    "warehouseName": session.context.warehouse or None,
                    "roleName": session.context.role,
                },
            }
        )

    async def session(self, request: Request) -> Response:
        """Heartbeat, or the end of a session."""
        token = _token(request)
        session = self.sessions.get(token)
        if session is None:
            return _gone()
        if request.query_params.get("delete"):
            del self.sessions[token]
            self.clients.forget(token)
            self._answered.pop(token, None)
            await run_in_threadpool(session.close)
        return _success(None)

    async def query(self, request: Request) -> Response:
        """Run one statement."""
        token = _token(request)
        session = self.sessions.get(token)
        if session is None:
            return _gone()
        if request.client is not None:
            self.clients.seen(token, (request.client.host, request.client.port))
        raw = await request.body()
        request_id = request.query_params.get("requestId", "")
        answered = self._answered.get(token)
        if answered and answered[0] == request_id:
            # the connector repeats a request whose answer it did not get
            return Response(answered[1], media_type="application/json")
        self._running[request_id] = session
        try:
            content = await run_in_threadpool(self._answer, session, request, raw)
        finally:
            self._running.pop(request_id, None)
        if len(content) <= _MAX_KEPT_ANSWER:
            self._answered[token] = (request_id, content)
        return Response(content, media_type="application/json")

    def _answer(self, session: Session, request: Request, raw: bytes) -> bytes:
        try:
            body = _body(request, raw)
            return _json(_run(session, request, body))
        except (ProgrammingError, DatabaseError) as error:
            if error.__cause__ is not None:
                _log.info("statement failed", exc_info=error.__cause__)
            return _json(_failed(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, an HTTP 500 would be retried for ever
            _log.warning("statement failed in the stand-in", exc_info=error)
            return _json(_failed(ProgrammingError(msg=f"the local stand-in failed: {error!r}", errno=9999)))

    async def abort(self, request: Request) -> Response:
        """Cancel a running statement of the request named."""
        body = _body(request, await request.body())
        if session := self._running.get(str(body.get("requestId"))):
            session.cancel()
        return _success(None)

    async def monitoring(self, request: Request) -> Response:
        """Whether a query is known; statements answer when they are done, so a known one succeeded."""
        known = request.path_params["sfqid"] in self.store.results_cache
        return _success({"queries": [{"status": "SUCCESS"}] if known else []})

    def close(self) -> None:
        """End all sessions, rolling back what is open, and close the databases."""
        for session in list(self.sessions.values()):
            session.cancel()
            session.close()
        self.sessions.clear()
        self.store.close()


def _run(session: Session, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    sql: str = body["sqlText"]
    params, batch = _bindings(body.get("bindings"))
    if body.get("describeOnly"):
        cursor = session.cursor()
        columns = cursor.describe_only(sql)
        if columns is not None:
            return _described(session, cursor, columns)
    if batch is None:
        cursor = session.run(sql, params)
        affected = None
    else:
        affected = 0
        for row in batch:
            cursor = session.run(sql, row)
            affected += cursor.rowcount or 0
    if (upload := cursor.upload) is not None:
        if not params and cursor.last_statement is not None:
            upload["stageInfo"] = gcs_stage_info(request, cursor.last_statement, upload)
        return dict(upload)
    return _result(session, cursor, affected)


def _bindings(bindings: dict[str, Any] | None) -> tuple[Any, list[tuple[Any, ...]] | None]:
    """Bound values: by position or name, or as rows for executemany."""
    if not bindings:
        return None, None
    if not all(key.isdigit() for key in bindings):
        return {name: _bound(binding, binding["value"]) for name, binding in bindings.items()}, None
    ordered = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if any(isinstance(binding["value"], list) for binding in ordered):
        columns = [[_bound(binding, value) for value in binding["value"]] for binding in ordered]
        return None, list(zip(*columns, strict=True))
    return tuple(_bound(binding, binding["value"]) for binding in ordered), None


def _bound(binding: dict[str, Any], value: str | None) -> Any:
    return None if value is None else from_binding({"type": binding["type"], "value": value})


def _result(session: Session, cursor: Cursor, affected: int | None) -> dict[str, Any]:
    types = row_type(cursor.columns)
    table = cursor.result()
    if cursor.statement_type_id in DML_TYPE_IDS:
        # the connector reads the counts of changed rows from JSON
        rows: list[list[str | None]] = [
            [None if value is None else str(value) for value in row]
            for row in zip(*[column.to_pylist() for column in table.columns], strict=True)
        ]
        if affected is not None:
            rows = [[str(affected)]]
        result: dict[str, Any] = {"queryResultFormat": "json", "rowset": rows}
    else:
        result = {"queryResultFormat": "arrow", "rowsetBase64": encode(table, types)}
    return {**_session_state(session, cursor), "rowtype": types, "total": table.num_rows, **result}


def _described(session: Session, cursor: Cursor, columns: list[tuple[str, str]]) -> dict[str, Any]:
    empty: dict[str, Any] = (
        {"queryResultFormat": "arrow", "rowsetBase64": ""}
        if cursor.statement_type_id == SELECT
        else {"queryResultFormat": "json", "rowset": []}
    )
    return {**_session_state(session, cursor), "rowtype": row_type(columns), "total": 0, "returned": 0, **empty}


def _session_state(session: Session, cursor: Cursor) -> dict[str, Any]:
    return {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "queryId": cursor.sfqid,
        "statementTypeId": cursor.statement_type_id,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.context.warehouse or None,
        "finalRoleName": session.context.role,
    }


def _body(request: Request, raw: bytes) -> dict[str, Any]:
    if request.headers.get("content-encoding") == "gzip":
        raw = gzip.decompress(raw)
    body: dict[str, Any] = json.loads(raw) if raw else {}
    return body


def _token(request: Request) -> str:
    # Snowflake Token="…"
    return request.headers.get("authorization", "").partition('"')[2].rstrip('"')


def _unquoted(name: str | None) -> str | None:
    return name.strip('"') if name else None


def _failed(error: ProgrammingError | DatabaseError) -> dict[str, Any]:
    code = f"{error.errno or 0:06d}"
    return {
        "data": {"errorCode": code, "sqlState": error.sqlstate, "queryId": error.sfqid},
        "code": code,
        "message": error.raw_msg if hasattr(error, "raw_msg") else error.msg,
        "success": False,
    }


def _failure(error: ProgrammingError | DatabaseError) -> Response:
    return Response(_json(_failed(error)), media_type="application/json")


def _success(data: Any) -> Response:
    content = json.dumps({"data": data, "code": None, "message": None, "success": True})
    return Response(content, media_type="application/json")


def _gone() -> Response:
    # HTTP 200: a 401 would be retried
    message = "Session no longer exists. New login required."
    content = {"data": None, "code": "390111", "message": message, "success": False}
    return Response(json.dumps(content), media_type="application/json")


def _json(answer: dict[str, Any]) -> bytes:
    if "success" not in answer:
        answer = {"data": answer, "code": None, "message": None, "success": True}
    return json.dumps(answer).encode()


async def _nothing(_: Request) -> Response:
    return _success(None)
