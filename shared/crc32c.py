"""CRC32C as Cloud Storage writes it."""

import base64

import google_crc32c


def crc32c_base64(data: bytes) -> str:
    """Base64 of the big-endian CRC32C of `data`."""
    value: int = google_crc32c.value(data)
    return base64.b64encode(value.to_bytes(4, "big")).decode()
