"""The least that the functions framework can serve: reads the body, answers nothing."""

import functions_framework
from flask import Request, Response


@functions_framework.http
def empty(request: Request) -> Response:
    """204 to whatever comes."""
    request.get_data()
    return Response(status=204)
