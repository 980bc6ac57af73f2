"""Refusals of the service, with their gRPC status."""

from __future__ import annotations

import grpc


class Refused(Exception):
    """A call that the service answers with an error status; see the subclasses."""

    status = grpc.StatusCode.UNKNOWN


class NotFound(Refused):
    """The topic or subscription does not exist."""

    status = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Refused):
    """A topic or subscription of that name exists."""

    status = grpc.StatusCode.ALREADY_EXISTS


class InvalidArgument(Refused):
    """The request makes no sense, or asks for what is not emulated."""

    status = grpc.StatusCode.INVALID_ARGUMENT
