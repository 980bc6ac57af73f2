"""One signed event, kept before it is answered: the webhook function."""

import io

import flask
import functions_framework
from flask import Request, Response

from shared import logs, wiring
from shared.errors import ConfigurationError
from shared.trace import cloud_trace
from shared.webhooks.body import MOST_BYTES, BodyCut, BodyTooLarge, read_body
from shared.webhooks.receive import Answer, receive, workspace_of
from shared.wiring.webhook import webhook_ports

if flask.has_app_context():
    # The framework imports this file inside its application. What it answers without us must not buffer a body without
    # limit either, and a path is written in one way or it is not ours: no redirect to a tidier one.
    flask.current_app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    flask.current_app.url_map.merge_slashes = False


@functions_framework.http
def webhook(request: Request) -> Response:
    """An event of a workspace: POST /incident-io/<workspace>."""
    environ = request.environ
    # the framework reads what is left of a body into memory after us: nothing is
    body, request.stream = environ["wsgi.input"], io.BytesIO()
    answer = _answer(request, body)
    headers = {"Allow": "POST"} if answer is Answer.NOT_POST else None
    return Response(answer.text, answer.status, headers, mimetype="text/plain")


def _answer(request: Request, stream: io.BufferedIOBase) -> Answer:
    try:
        ports, project = webhook_ports(), wiring.settings().project
    except ConfigurationError as exc:
        logs.error("webhook.misconfigured", message=str(exc))
        return Answer.LATER
    workspace = workspace_of(request.path, request.environ.get("RAW_URI", ""))
    if workspace is None or workspace not in ports.keyring:
        return Answer.UNKNOWN
    if request.method != "POST":
        return Answer.NOT_POST
    try:
        ends = bool(request.environ.get("wsgi.input_terminated"))
        body = read_body(stream, length=request.content_length, ends=ends)
    except BodyTooLarge:
        return Answer.TOO_LARGE
    except BodyCut:
        return Answer.MALFORMED
    trace = cloud_trace(project, request.headers.get("X-Cloud-Trace-Context"))
    with logs.bound(run_id=wiring.new_token(), **({logs.TRACE: trace} if trace else {})):
        return receive(ports, workspace, {name.lower(): value for name, value in request.headers}, body)
