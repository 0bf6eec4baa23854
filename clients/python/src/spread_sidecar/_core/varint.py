"""Numbers in the format of Protocol Buffers."""

from __future__ import annotations


def encode_varint(value: int) -> bytes:
    """Encodes a number of 0 or more."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
