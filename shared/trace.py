"""The trace that a request belongs to."""


def cloud_trace(project: str, header: str | None) -> str | None:
    """The trace in Cloud Logging's form, from the `X-Cloud-Trace-Context` header `TRACE/SPAN;o=1`."""
    trace = (header or "").partition("/")[0]
    return f"projects/{project}/traces/{trace}" if trace.isalnum() else None
