"""Options of the gRPC channel."""

from __future__ import annotations

import re
from typing import Sequence

from ..options import DEFAULT_TARGET, ChannelOptions
from .local_errors import check_timeout, option_error
from .security import ChannelSecurity
from .target import Target, parse_target
from .unreachable import Endpoint

# HTTP/2 window of a Receive stream and of the connection. With HTTP/2's default of 64 KiB, a fast sidecar would
# wait for each round trip. The sidecar's replay window is several times as large, for streams that break. Unit:
# bytes.
_RECEIVE_WINDOW = 1024 * 1024

_HEADER_NAME = re.compile(r"[0-9a-zA-Z_.-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


class ChannelPlan:
    """The validated settings of a channel."""

    target: str
    #: The target in the syntax of gRPC.
    grpc_target: str
    #: The properties that errors of calls depend on.
    endpoint: Endpoint
    security: ChannelSecurity
    #: Arguments of the gRPC channel.
    arguments: list[tuple[str, object]]
    #: gRPC request headers of every call.
    headers: tuple[tuple[str, str], ...]
    #: Timeout of calls without their own timeout. Unit: s.
    call_timeout: float

    def __init__(self, options: ChannelOptions, has_token: bool) -> None:
        self.target = options.get("target") or DEFAULT_TARGET
        where = parse_target(self.target)
        self.grpc_target = where.grpc
        self.call_timeout = options.get("call_timeout", 30.0)
        keep_alive = options.get("connection_keep_alive", 10.0)
        check_timeout(self.call_timeout, "call_timeout")
        check_timeout(keep_alive, "connection_keep_alive")
        self.security = ChannelSecurity(self.target, where.is_on_this_machine, options, has_token)
        self.endpoint = Endpoint(where.in_messages(self.target), where, self.security.credentials is not None)
        self.headers = tuple(_header(name, value) for name, value in options.get("headers", {}).items())
        self.arguments = _merge(
            _arguments(where, keep_alive),
            self.security.channel_options,
            options.get("channel_options", ()),
        )


def _header(name: str, value: str) -> tuple[str, str]:
    if not _HEADER_NAME.fullmatch(name):
        bound = "letters, digits, '-', '_' and '.'"
        message = f"the names in headers must contain only {bound}; got {name!r}"
        raise option_error("headers", f"named with {bound}", message)
    if not _HEADER_VALUE.fullmatch(value):
        # The value can be a token.
        message = f"headers.{name} must contain only printable ASCII characters"
        raise option_error(f"headers.{name}", "printable ASCII", message)
    return name.lower(), value


def _arguments(target: Target, keep_alive: float) -> list[tuple[str, object]]:
    arguments: list[tuple[str, object]] = [
        # A sidecar is local or near: do not use the proxy of http_proxy.
        ("grpc.enable_http_proxy", 0),
        # A separate connection, which close() closes.
        ("grpc.use_local_subchannel_pool", 1),
        # Never send a message twice.
        ("grpc.enable_retries", 0),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        # A fixed window, to limit the bytes that wait in this process while the application is slow.
        ("grpc.http2.lookahead_bytes", _RECEIVE_WINDOW),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.keepalive_time_ms", int(keep_alive * 1000) or 1),
        ("grpc.keepalive_timeout_ms", int(keep_alive * 500) or 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5000),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if target.is_unix:
        # Otherwise gRPC uses the socket's path, in a form that is invalid in HTTP/2.
        arguments.append(("grpc.default_authority", "localhost"))
    return arguments


def _merge(*lists: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """Later arguments override earlier ones."""
    merged: dict[str, object] = {}
    for one in lists:
        merged.update(one)
    return list(merged.items())
