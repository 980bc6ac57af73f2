"""The vendor's error answers: `{type, status, request_id, errors: [{code, message, source?}]}`."""

from __future__ import annotations

from typing import Any


class VendorError(Exception):
    """An answer other than 200, raised anywhere below the endpoints. `extra` goes into the body as it is."""

    def __init__(
        self,
        status: int,
        type_: str,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}
        self.extra = extra or {}

    def body(self, request_id: str) -> dict[str, Any]:
        """The answer's JSON body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["source"] = {"field": self.field}
        return {
            "type": self.type,
            "status": self.status,
            "request_id": request_id,
            **self.extra,
            "errors": [error],
        }


_OF_STATUS = {
    400: ("invalid_request_error", "invalid_request"),
    401: ("authentication_error", "access_token_invalid"),
    403: ("resource_forbidden", "missing_required_scope"),
    404: ("not_found", "resource_not_found"),
    405: ("method_not_allowed", "method_not_allowed"),
    408: ("request_timeout", "request_timeout"),
    409: ("conflict", "conflict"),
    422: ("validation_error", "invalid_value"),
    429: ("too_many_requests", "too_many_requests"),
}


def error_of_status(status: int, message: str, headers: dict[str, str] | None = None) -> VendorError:
    """The vendor's error for a bare HTTP status; what isn't listed is an `api_error`."""
    type_, code = _OF_STATUS.get(status, ("api_error", "internal_error"))
    return VendorError(status, type_, code, message, headers=headers)


def invalid_value(field: str, message: str) -> VendorError:
    """422: a parameter's value can't be used."""
    return VendorError(422, "validation_error", "invalid_value", message, field=field)


def not_found(what: str) -> VendorError:
    """404 for a thing that isn't there (or isn't yet)."""
    return VendorError(404, "not_found", "resource_not_found", f"{what} was not found")
