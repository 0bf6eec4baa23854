"""Messages to send."""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, Optional

from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..headers import NO_HEADERS
from ..info import OutgoingMessage
from ..options import Payload
from .local_errors import field_error, local_spread_error
from .outgoing_headers import OutgoingHeaders, to_outgoing_headers
from .service_type import SERVICE_BITS, from_service_word


class Outgoing(NamedTuple):
    """A message for the encoder."""

    service_number: int
    groups: tuple[str, ...]
    payload: bytes
    message_type: int
    self_discard: bool
    #: None without headers.
    headers: Optional[OutgoingHeaders] = None

    def to_public(self) -> OutgoingMessage:
        """The message as the application gave it."""
        bits = SERVICE_BITS[self.service_number]
        headers = NO_HEADERS if self.headers is None else self.headers.values
        return OutgoingMessage(bits, self.groups, self.payload, self.message_type, self.self_discard, headers)


def to_outgoing(
    service_type: int,
    groups: tuple[str, ...],
    payload: Payload,
    message_type: int,
    self_discard: bool,
    headers: Optional[Mapping[str, str]] = None,
) -> Outgoing:
    """Rejects what the contract cannot represent. The sidecar validates everything else."""
    number, discard = from_service_word(service_type)
    if type(payload) is not bytes:
        payload = _to_bytes(payload)
    if not isinstance(message_type, int):
        raise TypeError(f"message_type must be an int, not {type(message_type).__name__}")
    if not -0x80000000 <= message_type <= 0x7FFFFFFF:
        raise local_spread_error(
            "ILLEGAL_MESSAGE",
            f"message_type must be from -32768 to 32767; got {message_type}",
            field="message_type",
            bound="-32768 to 32767",
        )
    if headers is None:
        return Outgoing(number, groups, payload, message_type, discard or self_discard)
    return Outgoing(
        number, groups, payload, message_type, discard or self_discard, to_outgoing_headers(headers)
    )


def to_groups(groups: Iterable[str]) -> tuple[str, ...]:
    """The destinations of a message. One string is one group."""
    result = (groups,) if isinstance(groups, str) else tuple(groups)
    for group in result:
        check_text("groups", group)
    return result


def check_text(field: str, text: str) -> str:
    """Rejects text that the contract cannot represent."""
    if not isinstance(text, str):
        raise TypeError(f"{field} must be a str, not {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise field_error(field, "Unicode text without lone surrogates", text) from None
    return text


def to_multicast_message(message: Outgoing) -> service.MulticastMessage:
    """Converts to the message of the contract."""
    return service.MulticastMessage(
        service_type=message.service_number,  # type: ignore[arg-type]
        groups=message.groups,
        payload=message.payload,
        message_type=message.message_type,
        self_discard=message.self_discard,
        headers=None if message.headers is None else message.headers.values,
    )


def _to_bytes(payload: Payload) -> bytes:
    if isinstance(payload, str):
        try:
            return payload.encode("utf-8")
        except UnicodeEncodeError:
            raise field_error("payload", "Unicode text without lone surrogates", payload) from None
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    raise TypeError(f"payload must be bytes or str, not {type(payload).__name__}")
