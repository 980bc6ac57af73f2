"""Pages that name the next one in their `Link` header, RFC 8288."""

import re
from urllib.parse import parse_qs, urlsplit

from shared.extract.sender import UnusableBody
from shared.ports import HttpResponse

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_NEXT = re.compile(r"""\brel\s*=\s*"?next\b""")


def next_value(response: HttpResponse, parameter: str) -> str | None:
    """What `parameter` is in the address of the next page; None on the last one.

    Raises UnusableBody when there is a next page, but not by that parameter.
    """
    for address, attributes in _LINK.findall(response.headers.get("link", "")):
        if _NEXT.search(attributes):
            values = parse_qs(urlsplit(address).query).get(parameter)
            if not values:
                raise UnusableBody(f"the next page's address has no {parameter}")
            return str(values[-1])
    return None
