"""The exceptions of this package."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, Mapping, Optional

from .error_codes import SPREAD_ERRORS

#: The outcome of a failed send. ``not-sent``: no byte of the message reached the daemon. ``unknown``: the message may
#: have been sent, for example because a deadline passed or a connection broke. The client and the sidecar never send
#: a message twice. The application decides whether to send it again.
SendOutcome = Literal["not-sent", "unknown"]

SPREAD_DOMAIN = "spread.org"
SIDECAR_DOMAIN = "spread-sidecar"

_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class SpreadError(Exception):
    """The exception of this package. Arguments of a wrong type raise TypeError instead.

    ``code`` and ``number`` are Spread's name and number of the error (``REJECT_NOT_UNIQUE``, -6). They are None for
    failures that Spread does not define, such as an expired lease. ``reason`` is set for errors of Spread and of the
    sidecar.
    """

    #: A description for people.
    message: str
    #: The gRPC status name, such as ``INVALID_ARGUMENT``.
    status: str
    #: ``ErrorInfo.reason``: Spread's name of the error, or a value of the contract's ErrorReason without its prefix,
    #: such as ``LEASE_EXPIRED``. Empty for failures of the transport.
    reason: str
    #: ``ErrorInfo.domain``: ``spread.org``, ``spread-sidecar``, or empty.
    domain: str
    #: Spread's name for the error, such as ``ILLEGAL_GROUP``.
    code: Optional[str]
    #: Spread's number for the error, such as -14.
    number: Optional[int]
    #: ``ErrorInfo.metadata``, such as ``field`` and ``bound``.
    metadata: Mapping[str, str]
    #: Whether the same call may succeed later. For a send, check ``outcome`` first.
    retryable: bool
    #: Time to wait before a retry, if the sidecar gave one. Unit: seconds.
    retry_delay: Optional[float]
    #: For a failed send: whether the message may have been sent. None for other calls.
    outcome: Optional[SendOutcome]
    #: The exception of gRPC, if there was one. This exception is not the ``__cause__``, because the SpreadError
    #: contains its details.
    grpc_error: Optional[BaseException] = None

    def __init__(
        self,
        message: str,
        *,
        status: str,
        reason: str = "",
        domain: str = "",
        metadata: Optional[Mapping[str, str]] = None,
        retryable: bool = False,
        retry_delay: Optional[float] = None,
        outcome: Optional[SendOutcome] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.domain = domain
        self.metadata = MappingProxyType(dict(metadata)) if metadata else _NO_METADATA
        self.retryable = retryable
        self.retry_delay = retry_delay
        self.outcome = outcome
        self.number = SPREAD_ERRORS.get(reason) if domain == SPREAD_DOMAIN else None
        self.code = None if self.number is None else reason

    def __str__(self) -> str:
        name = self.reason or self.status
        return f"{name}: {self.message}" if self.number is None else f"{name} ({self.number}): {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (
            self.message,
            self.status,
            self.reason,
            self.domain,
            dict(self.metadata),
            self.retryable,
            self.retry_delay,
            self.outcome,
        )


def _rebuild(
    message: str,
    status: str,
    reason: str,
    domain: str,
    metadata: Mapping[str, str],
    retryable: bool,
    retry_delay: Optional[float],
    outcome: Optional[SendOutcome],
) -> SpreadError:
    return SpreadError(
        message,
        status=status,
        reason=reason,
        domain=domain,
        metadata=metadata,
        retryable=retryable,
        retry_delay=retry_delay,
        outcome=outcome,
    )


class MessagesRefused(SpreadError):
    """Messages of a sender were rejected, and ``on_refused`` is not set. ``flush()`` and ``close()`` raise this
    error.

    ``status``, ``reason`` and other attributes have the values of the first error.
    """

    #: The first 100 errors. ``metadata["index"]`` is the position of the message.
    errors: tuple[SpreadError, ...]
    #: The number of rejected messages.
    count: int

    def __init__(self, errors: tuple[SpreadError, ...], count: int) -> None:
        first = errors[0]
        super().__init__(
            f"rejected messages: {count}; first error: {first.message}",
            status=first.status,
            reason=first.reason,
            domain=first.domain,
            metadata=first.metadata,
            retryable=first.retryable,
            outcome=first.outcome,
        )
        self.errors = errors
        self.count = count

    def __reduce__(self) -> tuple[object, ...]:
        return MessagesRefused, (self.errors, self.count)
