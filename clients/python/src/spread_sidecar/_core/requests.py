"""Converts options to requests of the contract."""

from __future__ import annotations

from typing import Literal, Mapping, Optional, Union, cast

from ..gen.spread.sidecar.v1 import mailbox_service_pb2 as service
from ..gen.spread.sidecar.v1 import types_pb2
from ..options import MailboxOptions, QueueOptions, ReconnectOptions, RequestReplyOptions, SoftLimit
from .durations import to_count, to_duration
from .local_errors import field_error
from .outgoing import check_text

_NAME_CONFLICT: Mapping[str, int] = {
    "FAIL": types_pb2.NAME_CONFLICT_POLICY_FAIL,
    "SUFFIX": types_pb2.NAME_CONFLICT_POLICY_SUFFIX,
}
_NAME_LOSS: Mapping[str, int] = {
    "END": types_pb2.NAME_LOSS_POLICY_END,
    "SUFFIX": types_pb2.NAME_LOSS_POLICY_SUFFIX,
    "DAEMON_MADE": types_pb2.NAME_LOSS_POLICY_DAEMON_MADE,
}
_OVERFLOW: Mapping[str, int] = {
    "PAUSE": types_pb2.OVERFLOW_POLICY_PAUSE,
    "DISCONNECT": types_pb2.OVERFLOW_POLICY_DISCONNECT,
}
_ACKNOWLEDGEMENT: Mapping[str, int] = {
    "AUTO": types_pb2.ACKNOWLEDGEMENT_AUTO,
    "EXPLICIT": types_pb2.ACKNOWLEDGEMENT_EXPLICIT,
}


def option_names(known: type) -> frozenset[str]:
    """The keywords of a TypedDict of options."""
    return frozenset(getattr(known, "__annotations__", {}))


def reject_unknown(options: Mapping[str, object], known: type) -> None:
    """Raises TypeError, as Python does for an unknown keyword argument."""
    names = option_names(known)
    for name in options:
        if name not in names:
            raise TypeError(f"unexpected keyword argument {name!r}")


def to_mailbox_options(options: RequestReplyOptions) -> MailboxOptions:
    """The options of the mailbox of an object for requests and replies."""
    reject_unknown(options, RequestReplyOptions)
    for name in ("membership", "auto_receive", "manual_acknowledgement"):
        if name in options:
            raise TypeError(f"unexpected keyword argument {name!r}")
    mine = {name: value for name, value in options.items() if name != "on_event"}
    return cast(MailboxOptions, {"end_with_connection": True, **mine, "membership": True})


def split_options(options: Mapping[str, object], first: type) -> tuple[dict[str, object], dict[str, object]]:
    """Splits options into those of ``first`` and the others."""
    names = option_names(first)
    mine = {name: value for name, value in options.items() if name in names}
    return mine, {name: value for name, value in options.items() if name not in names}


def to_connect_request(options: MailboxOptions) -> service.ConnectRequest:
    """The request of Connect."""
    priority = to_count(options.get("priority"), "priority")
    if priority > 0xFFFFFFFF:
        raise field_error("priority", "0 or 1", priority)
    request = service.ConnectRequest(
        daemon=check_text("spread_name", options.get("spread_name") or ""),
        private_name=check_text("private_name", options.get("private_name") or ""),
        on_name_conflict=_choice("on_name_conflict", options.get("on_name_conflict"), _NAME_CONFLICT),  # type: ignore[arg-type]
        priority=priority,
        auth=_to_authentication(options.get("auth")),
        lease=to_duration(options.get("lease"), "lease"),
        end_with_connection=bool(options.get("end_with_connection", False)),
        reconnect=_to_reconnect(options.get("reconnect")),
        queue=_to_queue(options.get("queue")),
        acknowledgement=_choice("acknowledgement", options.get("acknowledgement"), _ACKNOWLEDGEMENT),  # type: ignore[arg-type]
    )
    membership = options.get("membership")
    if membership is not None:
        request.membership = membership
    return request


def _choice(field: str, value: Optional[str], choices: Mapping[str, int]) -> int:
    if value is None:
        return 0
    number = choices.get(value)
    if number is None:
        raise field_error(field, " or ".join(choices), value)
    return number


def _to_authentication(method: Optional[Literal["NULL", "IP"]]) -> Optional[types_pb2.Authentication]:
    if method is None:
        return None
    if method == "NULL":
        return types_pb2.Authentication(null_method=types_pb2.NullAuthentication())
    if method == "IP":
        return types_pb2.Authentication(ip_method=types_pb2.IpAuthentication())
    raise field_error("auth", "NULL or IP", method)


def _to_reconnect(wish: Union[bool, ReconnectOptions, None]) -> Optional[types_pb2.ReconnectPolicy]:
    if wish is None:
        return None
    given = ReconnectOptions() if isinstance(wish, bool) else wish
    return types_pb2.ReconnectPolicy(
        enabled=wish is not False,
        give_up_after=to_duration(given.give_up_after, "reconnect.give_up_after"),
        on_name_loss=_choice("reconnect.on_name_loss", given.on_name_loss, _NAME_LOSS),  # type: ignore[arg-type]
        queue_multicasts=given.queue_multicasts,
    )


def _to_queue(queue: Optional[QueueOptions]) -> Optional[types_pb2.QueueLimits]:
    if queue is None:
        return None
    return types_pb2.QueueLimits(
        max_events=to_count(queue.max_events, "queue.max_events"),
        max_bytes=to_count(queue.max_bytes, "queue.max_bytes"),
        replay_bytes=to_count(queue.replay_bytes, "queue.replay_bytes"),
        overflow=_choice("queue.overflow", queue.overflow, _OVERFLOW),  # type: ignore[arg-type]
        soft_limit=_to_soft_limit(queue.soft_limit),
    )


def _to_soft_limit(limit: Optional[SoftLimit]) -> Optional[types_pb2.SoftLimit]:
    if limit is None:
        return None
    if not 0 <= limit.fraction <= 1:
        raise field_error("queue.soft_limit.fraction", "a number from 0 to 1", limit.fraction)
    return types_pb2.SoftLimit(fraction=limit.fraction, time=to_duration(limit.time, "queue.soft_limit.time"))
