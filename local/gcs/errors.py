"""Errors of the JSON API in the shape that Google's clients parse."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

_REASONS = {
    304: "notModified",
    400: "invalid",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    501: "notImplemented",
}


class ApiError(Exception):
    """A refusal by the service, carrying its HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, object]:
        """The error document of the JSON API."""
        detail = {"message": self.message, "domain": "global", "reason": _REASONS.get(self.status, "backendError")}
        if self.status == 412:
            detail |= {"locationType": "header", "location": "If-Match"}
        return {"error": {"code": self.status, "message": self.message, "errors": [detail]}}

    def response(self) -> Response:
        """The answer to send; 304 has no body by the rules of HTTP."""
        if self.status == 304:
            return Response(status_code=304)
        return JSONResponse(self.body(), self.status)
