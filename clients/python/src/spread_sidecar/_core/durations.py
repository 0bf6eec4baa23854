"""Durations, times and counts of the contract."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from .local_errors import field_error

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Maximum of google.protobuf.Duration, about 10,000 years. Unit: s.
_MOST_SECONDS = 315_576_000_000


def to_duration(seconds: Optional[float], field: str) -> Optional[Duration]:
    """Converts seconds to a duration of the contract. None stays None."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{field} must be a number of seconds, not {type(seconds).__name__}")
    if not 0 <= seconds <= _MOST_SECONDS:
        raise field_error(field, "a number of seconds, 0 or more", seconds)
    whole, nanos = divmod(round(seconds * 1e9), 1_000_000_000)
    return Duration(seconds=whole, nanos=nanos)


def to_seconds(duration: Duration) -> float:
    """Converts a duration of the contract to seconds. 0 if it is not set."""
    return duration.seconds + duration.nanos / 1e9


def to_datetime(timestamp: Timestamp) -> datetime:
    """Converts a timestamp of the contract."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def to_count(value: Optional[int], field: str) -> int:
    """A count that the contract can represent. None becomes 0."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field} must be a whole number, not {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise field_error(field, "a whole number, 0 or more", value)
    return value
