"""The validated settings of receiving, with all defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from ..notices import Notice
from ..options import ReceiveOptions
from .durations import to_count, to_duration
from .local_errors import field_error
from .rules.receiving import ReceivePlan

_T = TypeVar("_T")


def _or_default(value: Optional[_T], default: _T) -> _T:
    return default if value is None else value


@dataclass(frozen=True)
class ReceiveSettings:
    """ReceiveOptions with all defaults."""

    auto_receive: bool
    max_buffered_events: int
    max_buffered_bytes: int
    manual_acknowledgement: bool
    max_outstanding_events: int
    max_outstanding_bytes: int
    heartbeat_interval: float
    keep_alive: bool
    on_notice: Optional[Callable[[Notice], None]]

    def plan(self, mailbox_id: str, after_sequence: int, lease: float) -> ReceivePlan:
        """The settings for one mailbox."""
        return ReceivePlan(
            mailbox_id,
            after_sequence,
            self.max_outstanding_events,
            self.max_outstanding_bytes,
            self.heartbeat_interval,
            lease,
        )


def to_receive_settings(options: ReceiveOptions) -> ReceiveSettings:
    """Validates options that the contract or this client cannot represent."""
    manual_acknowledgement = _or_default(options.get("manual_acknowledgement"), False)
    if not isinstance(manual_acknowledgement, bool):
        raise field_error("manual_acknowledgement", "True or False", manual_acknowledgement)
    heartbeat_interval = _or_default(options.get("heartbeat_interval"), 10.0)
    to_duration(heartbeat_interval, "heartbeat_interval")
    return ReceiveSettings(
        auto_receive=_or_default(options.get("auto_receive"), False),
        max_buffered_events=to_count(_or_default(options.get("max_buffered_events"), 4096), "max_buffered_events"),
        max_buffered_bytes=to_count(
            _or_default(options.get("max_buffered_bytes"), 4 * 1024 * 1024), "max_buffered_bytes"
        ),
        manual_acknowledgement=manual_acknowledgement,
        max_outstanding_events=to_count(options.get("max_outstanding_events"), "max_outstanding_events"),
        max_outstanding_bytes=to_count(options.get("max_outstanding_bytes"), "max_outstanding_bytes"),
        heartbeat_interval=heartbeat_interval,
        keep_alive=_or_default(options.get("keep_alive"), True),
        on_notice=options.get("on_notice"),
    )
