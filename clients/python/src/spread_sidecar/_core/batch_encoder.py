"""Encodes frames of MulticastStream to the same bytes as the generated encoder, but faster.

Copies each payload once. Encodes service type and groups only when they change, and the bytes before a payload
only when they or its length change.
"""

from __future__ import annotations

from typing import Iterable

from .outgoing import Outgoing
from .varint import encode_varint

# Tags: field number << 3 | wire type (0 = varint, 2 = length-delimited).
_TAG_BATCH = b"\x12"  # MulticastStreamRequest.batch
_TAG_MESSAGES = b"\x0a"  # MulticastBatch.messages
_TAG_SERVICE_TYPE = b"\x08"
_TAG_GROUPS = b"\x12"
_TAG_PAYLOAD = b"\x1a"
_TAG_MESSAGE_TYPE = b"\x20"
_SELF_DISCARD = b"\x28\x01"
_RESPOND = b"\x10\x01"  # MulticastBatch.respond
_RESPONDS_ON_REQUEST = b"\x10\x01"  # MulticastStreamOpen.responds_on_request


def encode_open(mailbox_id: str) -> bytes:
    """The first frame, with the mailbox ID. The sidecar then responds when a frame requests it (S4)."""
    name = mailbox_id.encode("utf-8")
    inner = b"\x0a" + encode_varint(len(name)) + name + _RESPONDS_ON_REQUEST
    return b"\x0a" + encode_varint(len(inner)) + inner


def encode_batch(messages: Iterable[Outgoing], respond: bool) -> bytes:
    """A frame with these messages. ``respond``: whether it requests a response."""
    parts: list[bytes] = []
    add = parts.append
    size = 0
    # The key of the previous message, and the bytes around its payload.
    last_key: object = None
    before = b""
    after = b""
    around = 0
    for message in messages:
        number, groups, payload, message_type, self_discard, headers = message
        length = len(payload)
        key = (length, message_type, number, self_discard, groups)
        if headers is not None:
            # Headers usually differ from message to message.
            last_key = None
            before, after = _around_payload(length, number, groups, message_type, self_discard, headers.encoded)
            around = len(before) + len(after)
        elif key != last_key:
            last_key = key
            before, after = _around_payload(length, number, groups, message_type, self_discard)
            around = len(before) + len(after)
        add(before)
        add(payload)
        if after:
            add(after)
        size += around + length
    if respond:
        add(_RESPOND)
        size += len(_RESPOND)
    return b"".join((_TAG_BATCH, encode_varint(size), *parts))


def _around_payload(
    length: int,
    number: int,
    groups: tuple[str, ...],
    message_type: int,
    self_discard: bool,
    headers: bytes = b"",
) -> tuple[bytes, bytes]:
    """The bytes before and after a payload of ``length`` bytes in a MulticastBatch."""
    head = _head(number, groups)
    if length:
        head += _TAG_PAYLOAD + encode_varint(length)
    after = b""
    if message_type:
        zigzag = ((message_type << 1) ^ (message_type >> 31)) & 0xFFFFFFFF
        after = _TAG_MESSAGE_TYPE + encode_varint(zigzag)
    if self_discard:
        after += _SELF_DISCARD
    after += headers
    return _TAG_MESSAGES + encode_varint(len(head) + length + len(after)) + head, after


def _head(number: int, groups: tuple[str, ...]) -> bytes:
    parts = [_TAG_SERVICE_TYPE, encode_varint(number)] if number else []
    for group in groups:
        name = group.encode("utf-8")
        parts += (_TAG_GROUPS, encode_varint(len(name)), name)
    return b"".join(parts)
