import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MembershipCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBERSHIP_CAUSE_UNSPECIFIED: _ClassVar[MembershipCause]
    MEMBERSHIP_CAUSE_JOIN: _ClassVar[MembershipCause]
    MEMBERSHIP_CAUSE_LEAVE: _ClassVar[MembershipCause]
    MEMBERSHIP_CAUSE_DISCONNECT: _ClassVar[MembershipCause]
    MEMBERSHIP_CAUSE_NETWORK: _ClassVar[MembershipCause]

class RejectedOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REJECTED_OPERATION_UNSPECIFIED: _ClassVar[RejectedOperation]
    REJECTED_OPERATION_JOIN: _ClassVar[RejectedOperation]
    REJECTED_OPERATION_LEAVE: _ClassVar[RejectedOperation]
    REJECTED_OPERATION_MULTICAST: _ClassVar[RejectedOperation]
MEMBERSHIP_CAUSE_UNSPECIFIED: MembershipCause
MEMBERSHIP_CAUSE_JOIN: MembershipCause
MEMBERSHIP_CAUSE_LEAVE: MembershipCause
MEMBERSHIP_CAUSE_DISCONNECT: MembershipCause
MEMBERSHIP_CAUSE_NETWORK: MembershipCause
REJECTED_OPERATION_UNSPECIFIED: RejectedOperation
REJECTED_OPERATION_JOIN: RejectedOperation
REJECTED_OPERATION_LEAVE: RejectedOperation
REJECTED_OPERATION_MULTICAST: RejectedOperation

class Event(_message.Message):
    __slots__ = ("sequence", "received_at", "regular_message", "membership_view", "transitional_signal", "self_leave", "rejected_message", "connection_lost", "connection_restored")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    REGULAR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_VIEW_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONAL_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    SELF_LEAVE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_LOST_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_RESTORED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    received_at: _timestamp_pb2.Timestamp
    regular_message: RegularMessage
    membership_view: MembershipView
    transitional_signal: TransitionalSignal
    self_leave: SelfLeave
    rejected_message: RejectedMessage
    connection_lost: ConnectionLost
    connection_restored: ConnectionRestored
    def __init__(self, sequence: _Optional[int] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., regular_message: _Optional[_Union[RegularMessage, _Mapping]] = ..., membership_view: _Optional[_Union[MembershipView, _Mapping]] = ..., transitional_signal: _Optional[_Union[TransitionalSignal, _Mapping]] = ..., self_leave: _Optional[_Union[SelfLeave, _Mapping]] = ..., rejected_message: _Optional[_Union[RejectedMessage, _Mapping]] = ..., connection_lost: _Optional[_Union[ConnectionLost, _Mapping]] = ..., connection_restored: _Optional[_Union[ConnectionRestored, _Mapping]] = ...) -> None: ...

class RegularMessage(_message.Message):
    __slots__ = ("sender", "groups", "service_type", "message_type", "payload", "endian_mismatch", "self_discard", "spread_type", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SENDER_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ENDIAN_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    SELF_DISCARD_FIELD_NUMBER: _ClassVar[int]
    SPREAD_TYPE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    sender: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    service_type: _types_pb2.ServiceType
    message_type: int
    payload: bytes
    endian_mismatch: bool
    self_discard: bool
    spread_type: int
    headers: _containers.ScalarMap[str, str]
    def __init__(self, sender: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., service_type: _Optional[_Union[_types_pb2.ServiceType, str]] = ..., message_type: _Optional[int] = ..., payload: _Optional[bytes] = ..., endian_mismatch: bool = ..., self_discard: bool = ..., spread_type: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MembershipView(_message.Message):
    __slots__ = ("group", "group_id", "cause", "members", "own_index", "changed_members", "virtual_synchrony_sets")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OWN_INDEX_FIELD_NUMBER: _ClassVar[int]
    CHANGED_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_SYNCHRONY_SETS_FIELD_NUMBER: _ClassVar[int]
    group: str
    group_id: _types_pb2.GroupId
    cause: MembershipCause
    members: _containers.RepeatedScalarFieldContainer[str]
    own_index: int
    changed_members: _containers.RepeatedScalarFieldContainer[str]
    virtual_synchrony_sets: _containers.RepeatedCompositeFieldContainer[VirtualSynchronySet]
    def __init__(self, group: _Optional[str] = ..., group_id: _Optional[_Union[_types_pb2.GroupId, _Mapping]] = ..., cause: _Optional[_Union[MembershipCause, str]] = ..., members: _Optional[_Iterable[str]] = ..., own_index: _Optional[int] = ..., changed_members: _Optional[_Iterable[str]] = ..., virtual_synchrony_sets: _Optional[_Iterable[_Union[VirtualSynchronySet, _Mapping]]] = ...) -> None: ...

class VirtualSynchronySet(_message.Message):
    __slots__ = ("members", "mine")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MINE_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedScalarFieldContainer[str]
    mine: bool
    def __init__(self, members: _Optional[_Iterable[str]] = ..., mine: bool = ...) -> None: ...

class TransitionalSignal(_message.Message):
    __slots__ = ("group", "group_id")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    group: str
    group_id: _types_pb2.GroupId
    def __init__(self, group: _Optional[str] = ..., group_id: _Optional[_Union[_types_pb2.GroupId, _Mapping]] = ...) -> None: ...

class SelfLeave(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: str
    def __init__(self, group: _Optional[str] = ...) -> None: ...

class RejectedMessage(_message.Message):
    __slots__ = ("operation", "sender", "groups", "service_type", "message_type", "payload", "endian_mismatch", "spread_type", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ENDIAN_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    SPREAD_TYPE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    operation: RejectedOperation
    sender: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    service_type: _types_pb2.ServiceType
    message_type: int
    payload: bytes
    endian_mismatch: bool
    spread_type: int
    headers: _containers.ScalarMap[str, str]
    def __init__(self, operation: _Optional[_Union[RejectedOperation, str]] = ..., sender: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., service_type: _Optional[_Union[_types_pb2.ServiceType, str]] = ..., message_type: _Optional[int] = ..., payload: _Optional[bytes] = ..., endian_mismatch: bool = ..., spread_type: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ConnectionLost(_message.Message):
    __slots__ = ("private_group", "groups", "spread_code")
    PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SPREAD_CODE_FIELD_NUMBER: _ClassVar[int]
    private_group: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    spread_code: int
    def __init__(self, private_group: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., spread_code: _Optional[int] = ...) -> None: ...

class ConnectionRestored(_message.Message):
    __slots__ = ("previous_private_group", "private_group", "groups", "daemon")
    PREVIOUS_PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    previous_private_group: str
    private_group: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    daemon: str
    def __init__(self, previous_private_group: _Optional[str] = ..., private_group: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., daemon: _Optional[str] = ...) -> None: ...
