import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServiceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_TYPE_UNSPECIFIED: _ClassVar[ServiceType]
    SERVICE_TYPE_UNRELIABLE: _ClassVar[ServiceType]
    SERVICE_TYPE_RELIABLE: _ClassVar[ServiceType]
    SERVICE_TYPE_FIFO: _ClassVar[ServiceType]
    SERVICE_TYPE_CAUSAL: _ClassVar[ServiceType]
    SERVICE_TYPE_AGREED: _ClassVar[ServiceType]
    SERVICE_TYPE_SAFE: _ClassVar[ServiceType]

class Acknowledgement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACKNOWLEDGEMENT_UNSPECIFIED: _ClassVar[Acknowledgement]
    ACKNOWLEDGEMENT_AUTO: _ClassVar[Acknowledgement]
    ACKNOWLEDGEMENT_EXPLICIT: _ClassVar[Acknowledgement]

class OverflowPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERFLOW_POLICY_UNSPECIFIED: _ClassVar[OverflowPolicy]
    OVERFLOW_POLICY_PAUSE: _ClassVar[OverflowPolicy]
    OVERFLOW_POLICY_DISCONNECT: _ClassVar[OverflowPolicy]

class NameLossPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NAME_LOSS_POLICY_UNSPECIFIED: _ClassVar[NameLossPolicy]
    NAME_LOSS_POLICY_END: _ClassVar[NameLossPolicy]
    NAME_LOSS_POLICY_SUFFIX: _ClassVar[NameLossPolicy]
    NAME_LOSS_POLICY_DAEMON_MADE: _ClassVar[NameLossPolicy]

class NameConflictPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NAME_CONFLICT_POLICY_UNSPECIFIED: _ClassVar[NameConflictPolicy]
    NAME_CONFLICT_POLICY_FAIL: _ClassVar[NameConflictPolicy]
    NAME_CONFLICT_POLICY_SUFFIX: _ClassVar[NameConflictPolicy]

class MailboxState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAILBOX_STATE_UNSPECIFIED: _ClassVar[MailboxState]
    MAILBOX_STATE_OPEN: _ClassVar[MailboxState]
    MAILBOX_STATE_RECONNECTING: _ClassVar[MailboxState]
    MAILBOX_STATE_ENDED: _ClassVar[MailboxState]
SERVICE_TYPE_UNSPECIFIED: ServiceType
SERVICE_TYPE_UNRELIABLE: ServiceType
SERVICE_TYPE_RELIABLE: ServiceType
SERVICE_TYPE_FIFO: ServiceType
SERVICE_TYPE_CAUSAL: ServiceType
SERVICE_TYPE_AGREED: ServiceType
SERVICE_TYPE_SAFE: ServiceType
ACKNOWLEDGEMENT_UNSPECIFIED: Acknowledgement
ACKNOWLEDGEMENT_AUTO: Acknowledgement
ACKNOWLEDGEMENT_EXPLICIT: Acknowledgement
OVERFLOW_POLICY_UNSPECIFIED: OverflowPolicy
OVERFLOW_POLICY_PAUSE: OverflowPolicy
OVERFLOW_POLICY_DISCONNECT: OverflowPolicy
NAME_LOSS_POLICY_UNSPECIFIED: NameLossPolicy
NAME_LOSS_POLICY_END: NameLossPolicy
NAME_LOSS_POLICY_SUFFIX: NameLossPolicy
NAME_LOSS_POLICY_DAEMON_MADE: NameLossPolicy
NAME_CONFLICT_POLICY_UNSPECIFIED: NameConflictPolicy
NAME_CONFLICT_POLICY_FAIL: NameConflictPolicy
NAME_CONFLICT_POLICY_SUFFIX: NameConflictPolicy
MAILBOX_STATE_UNSPECIFIED: MailboxState
MAILBOX_STATE_OPEN: MailboxState
MAILBOX_STATE_RECONNECTING: MailboxState
MAILBOX_STATE_ENDED: MailboxState

class Version(_message.Message):
    __slots__ = ("major", "minor", "patch")
    MAJOR_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    major: int
    minor: int
    patch: int
    def __init__(self, major: _Optional[int] = ..., minor: _Optional[int] = ..., patch: _Optional[int] = ...) -> None: ...

class GroupId(_message.Message):
    __slots__ = ("daemon_id", "time", "index")
    DAEMON_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    daemon_id: int
    time: int
    index: int
    def __init__(self, daemon_id: _Optional[int] = ..., time: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class QueueLimits(_message.Message):
    __slots__ = ("max_events", "max_bytes", "replay_bytes", "overflow", "soft_limit")
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    REPLAY_BYTES_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    max_events: int
    max_bytes: int
    replay_bytes: int
    overflow: OverflowPolicy
    soft_limit: SoftLimit
    def __init__(self, max_events: _Optional[int] = ..., max_bytes: _Optional[int] = ..., replay_bytes: _Optional[int] = ..., overflow: _Optional[_Union[OverflowPolicy, str]] = ..., soft_limit: _Optional[_Union[SoftLimit, _Mapping]] = ...) -> None: ...

class SoftLimit(_message.Message):
    __slots__ = ("fraction", "time")
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    time: _duration_pb2.Duration
    def __init__(self, fraction: _Optional[float] = ..., time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReconnectPolicy(_message.Message):
    __slots__ = ("enabled", "give_up_after", "on_name_loss", "queue_multicasts")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    GIVE_UP_AFTER_FIELD_NUMBER: _ClassVar[int]
    ON_NAME_LOSS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MULTICASTS_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    give_up_after: _duration_pb2.Duration
    on_name_loss: NameLossPolicy
    queue_multicasts: bool
    def __init__(self, enabled: bool = ..., give_up_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., on_name_loss: _Optional[_Union[NameLossPolicy, str]] = ..., queue_multicasts: bool = ...) -> None: ...

class Authentication(_message.Message):
    __slots__ = ("null_method", "ip_method")
    NULL_METHOD_FIELD_NUMBER: _ClassVar[int]
    IP_METHOD_FIELD_NUMBER: _ClassVar[int]
    null_method: NullAuthentication
    ip_method: IpAuthentication
    def __init__(self, null_method: _Optional[_Union[NullAuthentication, _Mapping]] = ..., ip_method: _Optional[_Union[IpAuthentication, _Mapping]] = ...) -> None: ...

class NullAuthentication(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IpAuthentication(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
