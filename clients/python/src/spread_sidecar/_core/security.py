"""The security of a channel."""

from __future__ import annotations

import re
from typing import Optional, Union

import grpc

from ..errors import SpreadError
from ..options import ChannelOptions, TlsOptions
from .local_errors import option_error

_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")


class ChannelSecurity:
    """The security settings of a channel."""

    #: None for no TLS.
    credentials: Optional[grpc.ChannelCredentials]
    #: The channel options of gRPC for them.
    channel_options: list[tuple[str, object]]

    def __init__(self, target: str, is_local: bool, options: ChannelOptions, has_token: bool) -> None:
        given = options.get("tls", False)
        tls: Optional[TlsOptions] = TlsOptions() if given is True else given or None
        if tls is not None and (tls.cert is None) != (tls.key is None):
            given_one, missing = ("tls.key", "tls.cert") if tls.cert is None else ("tls.cert", "tls.key")
            message = f"{given_one} is set without {missing}; set both or neither"
            raise option_error("tls", "with both cert and key, or with neither", message)
        self._target = target
        self._private = bool(options.get("insecure", False)) or tls is not None or is_local
        self.credentials = None if tls is None else _credentials_of(tls)
        self.channel_options = []
        if tls is not None and tls.server_name:
            self.channel_options = [
                ("grpc.ssl_target_name_override", tls.server_name),
                ("grpc.default_authority", tls.server_name),
            ]
        if has_token:
            self.check_token_allowed("token")
        if any(name.lower() == "authorization" for name in options.get("headers", {})):
            self.check_token_allowed("headers.authorization")

    def check_token_allowed(self, field: str) -> None:
        """Raises if others could read a token on this channel."""
        if not self._private:
            bound = "sent over TLS, a Unix socket or a loopback address, or with insecure=True"
            message = (
                f"{field} must not be sent to {self._target} without TLS; "
                "use TLS, a Unix socket or a loopback address, or set insecure=True to allow this"
            )
            raise option_error(field, bound, message)


def _credentials_of(tls: TlsOptions) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_bytes_of(tls.ca),
        private_key=_bytes_of(tls.key),
        certificate_chain=_bytes_of(tls.cert),
    )


def _bytes_of(pem: Optional[Union[str, bytes]]) -> Optional[bytes]:
    return pem.encode("utf-8") if isinstance(pem, str) else pem


def to_authorization(token: str) -> str:
    """The value of the authorization header."""
    if not isinstance(token, str):
        raise TypeError(f"the token must be a str, not {type(token).__name__}")
    trimmed = token.strip()
    if not _HEADER_TEXT.fullmatch(trimmed):
        message = "the token must consist of 1 or more visible ASCII characters"
        raise SpreadError(message, status="UNAUTHENTICATED", outcome="not-sent")
    return f"Bearer {trimmed}"


def token_unavailable(cause: Exception) -> SpreadError:
    """The error if the token function raised ``cause``."""
    text = cause.message if isinstance(cause, SpreadError) else str(cause)
    error = SpreadError(f"the token is not available: {text}", status="UNAUTHENTICATED", outcome="not-sent")
    # The message contains an error of this package, for example of an unreadable token file. For other
    # exceptions, the cause shows where the program's function failed.
    error.__cause__ = None if isinstance(cause, SpreadError) else cause
    return error
