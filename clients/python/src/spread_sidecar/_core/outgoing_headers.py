"""Headers of messages to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Optional

from ..headers import MessageHeaders
from .local_errors import field_error, option_error
from .varint import encode_varint

# Tags: field number << 3 | 2 (length-delimited).
_TAG_HEADERS = b"\x32"  # MulticastMessage.headers
_TAG_NAME = b"\x0a"
_TAG_VALUE = b"\x12"

_TEXT = "Unicode text without lone surrogates"


class OutgoingHeaders:
    """One or more headers."""

    __slots__ = ("encoded", "values")

    #: The headers as the application gave them.
    values: MessageHeaders
    #: The fields of MulticastMessage with these headers.
    encoded: bytes

    def __init__(self, values: MessageHeaders, encoded: bytes) -> None:
        self.values = values
        self.encoded = encoded


def to_outgoing_headers(headers: Mapping[str, str]) -> Optional[OutgoingHeaders]:
    """Rejects what the contract cannot represent. The sidecar checks names and sizes. None without headers."""
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a mapping, not {type(headers).__name__}")
    # A copy: the application may change its mapping while the message waits.
    values = MessageHeaders(headers)
    if len(values) == 0:
        return None
    encoded = b"".join([_encode(name, value) for name, value in values.items()])
    return OutgoingHeaders(values, encoded)


def _encode(name: str, value: str) -> bytes:
    name_bytes = _to_utf8(name)
    if name_bytes is None:
        message = f"the names in headers must be {_TEXT}; got {name!r}"
        raise option_error("headers", f"a mapping whose names are {_TEXT}", message)
    value_bytes = _to_utf8(value)
    if value_bytes is None:
        field = f"headers[{json.dumps(name, ensure_ascii=False)}]"
        raise field_error(field, _TEXT, value)
    entry = _TAG_NAME + encode_varint(len(name_bytes)) + name_bytes
    if value_bytes:
        entry += _TAG_VALUE + encode_varint(len(value_bytes)) + value_bytes
    return _TAG_HEADERS + encode_varint(len(entry)) + entry


def _to_utf8(text: object) -> Optional[bytes]:
    """None for what is not text."""
    if not isinstance(text, str):
        return None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None
