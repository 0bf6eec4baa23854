import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import event_pb2 as _event_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_MALFORMED_REQUEST: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_REQUIRED: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_LIMIT_OUT_OF_RANGE: _ClassVar[ErrorReason]
    ERROR_REASON_DAEMON_NOT_ALLOWED: _ClassVar[ErrorReason]
    ERROR_REASON_RECEIVER_REPLACED: _ClassVar[ErrorReason]
    ERROR_REASON_SEQUENCE_NOT_RETAINED: _ClassVar[ErrorReason]
    ERROR_REASON_LEASE_EXPIRED: _ClassVar[ErrorReason]
    ERROR_REASON_QUEUE_OVERFLOW: _ClassVar[ErrorReason]
    ERROR_REASON_DRAINING: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_MAILBOXES: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_GROUPS: _ClassVar[ErrorReason]
    ERROR_REASON_SEND_QUEUE_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_ADMIN_ONLY: _ClassVar[ErrorReason]
    ERROR_REASON_NO_VIEW: _ClassVar[ErrorReason]
    ERROR_REASON_MEMBERSHIP_OFF: _ClassVar[ErrorReason]
    ERROR_REASON_RECONNECT_NOT_SUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_MAILBOX_DISCONNECTED: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_TOTAL_QUEUE_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_DEADLINE_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_VIEW_NOT_COMING: _ClassVar[ErrorReason]
    ERROR_REASON_CREDENTIAL_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_CREDENTIAL_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_RECONNECTING: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_CALLS: _ClassVar[ErrorReason]
    ERROR_REASON_RATE_LIMITED: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_TIMEOUT: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_BUFFER_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_CONNECTION_TOO_OLD: _ClassVar[ErrorReason]
    ERROR_REASON_COMPRESSION_NOT_SUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_SLOW_CONSUMER: _ClassVar[ErrorReason]
    ERROR_REASON_HEADER_NAME_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_HEADERS_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_HEADERS_OFF: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_MALFORMED_REQUEST: ErrorReason
ERROR_REASON_FIELD_REQUIRED: ErrorReason
ERROR_REASON_FIELD_INVALID: ErrorReason
ERROR_REASON_LIMIT_OUT_OF_RANGE: ErrorReason
ERROR_REASON_DAEMON_NOT_ALLOWED: ErrorReason
ERROR_REASON_RECEIVER_REPLACED: ErrorReason
ERROR_REASON_SEQUENCE_NOT_RETAINED: ErrorReason
ERROR_REASON_LEASE_EXPIRED: ErrorReason
ERROR_REASON_QUEUE_OVERFLOW: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_TOO_MANY_MAILBOXES: ErrorReason
ERROR_REASON_TOO_MANY_GROUPS: ErrorReason
ERROR_REASON_SEND_QUEUE_FULL: ErrorReason
ERROR_REASON_ADMIN_ONLY: ErrorReason
ERROR_REASON_NO_VIEW: ErrorReason
ERROR_REASON_MEMBERSHIP_OFF: ErrorReason
ERROR_REASON_RECONNECT_NOT_SUPPORTED: ErrorReason
ERROR_REASON_MAILBOX_DISCONNECTED: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_TOTAL_QUEUE_FULL: ErrorReason
ERROR_REASON_DEADLINE_EXCEEDED: ErrorReason
ERROR_REASON_VIEW_NOT_COMING: ErrorReason
ERROR_REASON_CREDENTIAL_MISSING: ErrorReason
ERROR_REASON_CREDENTIAL_INVALID: ErrorReason
ERROR_REASON_RECONNECTING: ErrorReason
ERROR_REASON_TOO_MANY_CALLS: ErrorReason
ERROR_REASON_RATE_LIMITED: ErrorReason
ERROR_REASON_REQUEST_TOO_LARGE: ErrorReason
ERROR_REASON_REQUEST_TIMEOUT: ErrorReason
ERROR_REASON_REQUEST_BUFFER_FULL: ErrorReason
ERROR_REASON_CONNECTION_TOO_OLD: ErrorReason
ERROR_REASON_COMPRESSION_NOT_SUPPORTED: ErrorReason
ERROR_REASON_SLOW_CONSUMER: ErrorReason
ERROR_REASON_HEADER_NAME_INVALID: ErrorReason
ERROR_REASON_HEADERS_TOO_LARGE: ErrorReason
ERROR_REASON_HEADERS_OFF: ErrorReason

class ConnectRequest(_message.Message):
    __slots__ = ("daemon", "private_name", "on_name_conflict", "priority", "membership", "auth", "lease", "reconnect", "queue", "acknowledgement", "end_with_connection")
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_NAME_FIELD_NUMBER: _ClassVar[int]
    ON_NAME_CONFLICT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    AUTH_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    END_WITH_CONNECTION_FIELD_NUMBER: _ClassVar[int]
    daemon: str
    private_name: str
    on_name_conflict: _types_pb2.NameConflictPolicy
    priority: int
    membership: bool
    auth: _types_pb2.Authentication
    lease: _duration_pb2.Duration
    reconnect: _types_pb2.ReconnectPolicy
    queue: _types_pb2.QueueLimits
    acknowledgement: _types_pb2.Acknowledgement
    end_with_connection: bool
    def __init__(self, daemon: _Optional[str] = ..., private_name: _Optional[str] = ..., on_name_conflict: _Optional[_Union[_types_pb2.NameConflictPolicy, str]] = ..., priority: _Optional[int] = ..., membership: bool = ..., auth: _Optional[_Union[_types_pb2.Authentication, _Mapping]] = ..., lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reconnect: _Optional[_Union[_types_pb2.ReconnectPolicy, _Mapping]] = ..., queue: _Optional[_Union[_types_pb2.QueueLimits, _Mapping]] = ..., acknowledgement: _Optional[_Union[_types_pb2.Acknowledgement, str]] = ..., end_with_connection: bool = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("mailbox_id", "private_group", "daemon_version", "daemon", "limits", "acknowledgement")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    private_group: str
    daemon_version: _types_pb2.Version
    daemon: str
    limits: MailboxLimits
    acknowledgement: _types_pb2.Acknowledgement
    def __init__(self, mailbox_id: _Optional[str] = ..., private_group: _Optional[str] = ..., daemon_version: _Optional[_Union[_types_pb2.Version, _Mapping]] = ..., daemon: _Optional[str] = ..., limits: _Optional[_Union[MailboxLimits, _Mapping]] = ..., acknowledgement: _Optional[_Union[_types_pb2.Acknowledgement, str]] = ...) -> None: ...

class MailboxLimits(_message.Message):
    __slots__ = ("lease", "queue", "max_groups_per_message", "max_message_bytes", "max_groups", "max_send_queue_bytes")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    MAX_GROUPS_PER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_GROUPS_FIELD_NUMBER: _ClassVar[int]
    MAX_SEND_QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    lease: _duration_pb2.Duration
    queue: _types_pb2.QueueLimits
    max_groups_per_message: int
    max_message_bytes: int
    max_groups: int
    max_send_queue_bytes: int
    def __init__(self, lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue: _Optional[_Union[_types_pb2.QueueLimits, _Mapping]] = ..., max_groups_per_message: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., max_groups: _Optional[int] = ..., max_send_queue_bytes: _Optional[int] = ...) -> None: ...

class DisconnectRequest(_message.Message):
    __slots__ = ("mailbox_id", "leave_groups_first", "abort")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    LEAVE_GROUPS_FIRST_FIELD_NUMBER: _ClassVar[int]
    ABORT_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    leave_groups_first: bool
    abort: bool
    def __init__(self, mailbox_id: _Optional[str] = ..., leave_groups_first: bool = ..., abort: bool = ...) -> None: ...

class DisconnectResponse(_message.Message):
    __slots__ = ("was_open",)
    WAS_OPEN_FIELD_NUMBER: _ClassVar[int]
    was_open: bool
    def __init__(self, was_open: bool = ...) -> None: ...

class JoinRequest(_message.Message):
    __slots__ = ("mailbox_id", "group", "await_view")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AWAIT_VIEW_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    group: str
    await_view: bool
    def __init__(self, mailbox_id: _Optional[str] = ..., group: _Optional[str] = ..., await_view: bool = ...) -> None: ...

class JoinResponse(_message.Message):
    __slots__ = ("view",)
    VIEW_FIELD_NUMBER: _ClassVar[int]
    view: _event_pb2.MembershipView
    def __init__(self, view: _Optional[_Union[_event_pb2.MembershipView, _Mapping]] = ...) -> None: ...

class LeaveRequest(_message.Message):
    __slots__ = ("mailbox_id", "group", "await_view")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AWAIT_VIEW_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    group: str
    await_view: bool
    def __init__(self, mailbox_id: _Optional[str] = ..., group: _Optional[str] = ..., await_view: bool = ...) -> None: ...

class LeaveResponse(_message.Message):
    __slots__ = ("self_leave",)
    SELF_LEAVE_FIELD_NUMBER: _ClassVar[int]
    self_leave: _event_pb2.SelfLeave
    def __init__(self, self_leave: _Optional[_Union[_event_pb2.SelfLeave, _Mapping]] = ...) -> None: ...

class MulticastMessage(_message.Message):
    __slots__ = ("service_type", "groups", "payload", "message_type", "self_discard", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SELF_DISCARD_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    service_type: _types_pb2.ServiceType
    groups: _containers.RepeatedScalarFieldContainer[str]
    payload: bytes
    message_type: int
    self_discard: bool
    headers: _containers.ScalarMap[str, str]
    def __init__(self, service_type: _Optional[_Union[_types_pb2.ServiceType, str]] = ..., groups: _Optional[_Iterable[str]] = ..., payload: _Optional[bytes] = ..., message_type: _Optional[int] = ..., self_discard: bool = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MulticastRequest(_message.Message):
    __slots__ = ("mailbox_id", "message")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    message: MulticastMessage
    def __init__(self, mailbox_id: _Optional[str] = ..., message: _Optional[_Union[MulticastMessage, _Mapping]] = ...) -> None: ...

class MulticastResponse(_message.Message):
    __slots__ = ("bytes_sent",)
    BYTES_SENT_FIELD_NUMBER: _ClassVar[int]
    bytes_sent: int
    def __init__(self, bytes_sent: _Optional[int] = ...) -> None: ...

class MulticastStreamRequest(_message.Message):
    __slots__ = ("open", "batch")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    open: MulticastStreamOpen
    batch: MulticastBatch
    def __init__(self, open: _Optional[_Union[MulticastStreamOpen, _Mapping]] = ..., batch: _Optional[_Union[MulticastBatch, _Mapping]] = ...) -> None: ...

class MulticastStreamOpen(_message.Message):
    __slots__ = ("mailbox_id", "responds_on_request")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONDS_ON_REQUEST_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    responds_on_request: bool
    def __init__(self, mailbox_id: _Optional[str] = ..., responds_on_request: bool = ...) -> None: ...

class MulticastBatch(_message.Message):
    __slots__ = ("messages", "respond")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    RESPOND_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[MulticastMessage]
    respond: bool
    def __init__(self, messages: _Optional[_Iterable[_Union[MulticastMessage, _Mapping]]] = ..., respond: bool = ...) -> None: ...

class MulticastStreamResponse(_message.Message):
    __slots__ = ("decided", "accepted", "refusals")
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    decided: int
    accepted: int
    refusals: _containers.RepeatedCompositeFieldContainer[MulticastRefusal]
    def __init__(self, decided: _Optional[int] = ..., accepted: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[MulticastRefusal, _Mapping]]] = ...) -> None: ...

class MulticastRefusal(_message.Message):
    __slots__ = ("index", "status_code", "status_message", "reason", "domain", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    index: int
    status_code: int
    status_message: str
    reason: str
    domain: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, index: _Optional[int] = ..., status_code: _Optional[int] = ..., status_message: _Optional[str] = ..., reason: _Optional[str] = ..., domain: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ReceiveRequest(_message.Message):
    __slots__ = ("mailbox_id", "after_sequence", "max_outstanding_events", "max_outstanding_bytes", "heartbeat_interval")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTSTANDING_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTSTANDING_BYTES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    after_sequence: int
    max_outstanding_events: int
    max_outstanding_bytes: int
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, mailbox_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., max_outstanding_events: _Optional[int] = ..., max_outstanding_bytes: _Optional[int] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReceiveResponse(_message.Message):
    __slots__ = ("attached", "batch", "heartbeat", "slow_consumer")
    ATTACHED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    SLOW_CONSUMER_FIELD_NUMBER: _ClassVar[int]
    attached: ReceiveAttached
    batch: EventBatch
    heartbeat: Heartbeat
    slow_consumer: SlowConsumerNotice
    def __init__(self, attached: _Optional[_Union[ReceiveAttached, _Mapping]] = ..., batch: _Optional[_Union[EventBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., slow_consumer: _Optional[_Union[SlowConsumerNotice, _Mapping]] = ...) -> None: ...

class ReceiveAttached(_message.Message):
    __slots__ = ("next_sequence", "oldest_retained_sequence", "last_sequence", "private_group", "groups", "acknowledgement", "acknowledged_sequence")
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_RETAINED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    next_sequence: int
    oldest_retained_sequence: int
    last_sequence: int
    private_group: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    acknowledgement: _types_pb2.Acknowledgement
    acknowledged_sequence: int
    def __init__(self, next_sequence: _Optional[int] = ..., oldest_retained_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., private_group: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., acknowledgement: _Optional[_Union[_types_pb2.Acknowledgement, str]] = ..., acknowledged_sequence: _Optional[int] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("last_sequence", "time")
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    last_sequence: int
    time: _timestamp_pb2.Timestamp
    def __init__(self, last_sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SlowConsumerNotice(_message.Message):
    __slots__ = ("queued_events", "queued_bytes", "limits", "mark_events", "mark_bytes", "time_left", "time")
    QUEUED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    MARK_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MARK_BYTES_FIELD_NUMBER: _ClassVar[int]
    TIME_LEFT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    queued_events: int
    queued_bytes: int
    limits: _types_pb2.QueueLimits
    mark_events: int
    mark_bytes: int
    time_left: _duration_pb2.Duration
    time: _timestamp_pb2.Timestamp
    def __init__(self, queued_events: _Optional[int] = ..., queued_bytes: _Optional[int] = ..., limits: _Optional[_Union[_types_pb2.QueueLimits, _Mapping]] = ..., mark_events: _Optional[int] = ..., mark_bytes: _Optional[int] = ..., time_left: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("mailbox_id", "up_to_sequence")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    UP_TO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    up_to_sequence: int
    def __init__(self, mailbox_id: _Optional[str] = ..., up_to_sequence: _Optional[int] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ("acknowledged_sequence",)
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence: int
    def __init__(self, acknowledged_sequence: _Optional[int] = ...) -> None: ...

class PollRequest(_message.Message):
    __slots__ = ("mailbox_id",)
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    def __init__(self, mailbox_id: _Optional[str] = ...) -> None: ...

class PollResponse(_message.Message):
    __slots__ = ("waiting_events", "waiting_bytes", "state")
    WAITING_EVENTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    waiting_events: int
    waiting_bytes: int
    state: _types_pb2.MailboxState
    def __init__(self, waiting_events: _Optional[int] = ..., waiting_bytes: _Optional[int] = ..., state: _Optional[_Union[_types_pb2.MailboxState, str]] = ...) -> None: ...

class GetMailboxRequest(_message.Message):
    __slots__ = ("mailbox_id",)
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    def __init__(self, mailbox_id: _Optional[str] = ...) -> None: ...

class GetMailboxResponse(_message.Message):
    __slots__ = ("mailbox",)
    MAILBOX_FIELD_NUMBER: _ClassVar[int]
    mailbox: Mailbox
    def __init__(self, mailbox: _Optional[_Union[Mailbox, _Mapping]] = ...) -> None: ...

class Mailbox(_message.Message):
    __slots__ = ("private_group", "state", "daemon", "daemon_version", "membership", "acknowledgement", "limits", "groups", "opened_at", "receiver_attached", "last_sequence", "delivered_sequence", "acknowledged_sequence", "waiting_events", "waiting_bytes", "retained_bytes", "messages_sent", "payload_bytes_sent", "send_queue_bytes", "paused", "lease_ends_at", "display_id", "soft_limit_ends_at")
    PRIVATE_GROUP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ATTACHED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WAITING_EVENTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_BYTES_FIELD_NUMBER: _ClassVar[int]
    RETAINED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_SENT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_BYTES_SENT_FIELD_NUMBER: _ClassVar[int]
    SEND_QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    LEASE_ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    private_group: str
    state: _types_pb2.MailboxState
    daemon: str
    daemon_version: _types_pb2.Version
    membership: bool
    acknowledgement: _types_pb2.Acknowledgement
    limits: MailboxLimits
    groups: _containers.RepeatedScalarFieldContainer[str]
    opened_at: _timestamp_pb2.Timestamp
    receiver_attached: bool
    last_sequence: int
    delivered_sequence: int
    acknowledged_sequence: int
    waiting_events: int
    waiting_bytes: int
    retained_bytes: int
    messages_sent: int
    payload_bytes_sent: int
    send_queue_bytes: int
    paused: bool
    lease_ends_at: _timestamp_pb2.Timestamp
    display_id: str
    soft_limit_ends_at: _timestamp_pb2.Timestamp
    def __init__(self, private_group: _Optional[str] = ..., state: _Optional[_Union[_types_pb2.MailboxState, str]] = ..., daemon: _Optional[str] = ..., daemon_version: _Optional[_Union[_types_pb2.Version, _Mapping]] = ..., membership: bool = ..., acknowledgement: _Optional[_Union[_types_pb2.Acknowledgement, str]] = ..., limits: _Optional[_Union[MailboxLimits, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receiver_attached: bool = ..., last_sequence: _Optional[int] = ..., delivered_sequence: _Optional[int] = ..., acknowledged_sequence: _Optional[int] = ..., waiting_events: _Optional[int] = ..., waiting_bytes: _Optional[int] = ..., retained_bytes: _Optional[int] = ..., messages_sent: _Optional[int] = ..., payload_bytes_sent: _Optional[int] = ..., send_queue_bytes: _Optional[int] = ..., paused: bool = ..., lease_ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., display_id: _Optional[str] = ..., soft_limit_ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetViewRequest(_message.Message):
    __slots__ = ("mailbox_id", "group")
    MAILBOX_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    mailbox_id: str
    group: str
    def __init__(self, mailbox_id: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class GetViewResponse(_message.Message):
    __slots__ = ("view", "in_transition")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    IN_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    view: _event_pb2.MembershipView
    in_transition: bool
    def __init__(self, view: _Optional[_Union[_event_pb2.MembershipView, _Mapping]] = ..., in_transition: bool = ...) -> None: ...

class ListMailboxesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMailboxesResponse(_message.Message):
    __slots__ = ("mailboxes", "next_page_token")
    MAILBOXES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    mailboxes: _containers.RepeatedCompositeFieldContainer[Mailbox]
    next_page_token: str
    def __init__(self, mailboxes: _Optional[_Iterable[_Union[Mailbox, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetVersionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetVersionResponse(_message.Message):
    __slots__ = ("sidecar", "contract", "client_protocol", "daemon", "daemon_address", "embedded_daemon")
    SIDECAR_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    DAEMON_FIELD_NUMBER: _ClassVar[int]
    DAEMON_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDED_DAEMON_FIELD_NUMBER: _ClassVar[int]
    sidecar: str
    contract: str
    client_protocol: _types_pb2.Version
    daemon: _types_pb2.Version
    daemon_address: str
    embedded_daemon: bool
    def __init__(self, sidecar: _Optional[str] = ..., contract: _Optional[str] = ..., client_protocol: _Optional[_Union[_types_pb2.Version, _Mapping]] = ..., daemon: _Optional[_Union[_types_pb2.Version, _Mapping]] = ..., daemon_address: _Optional[str] = ..., embedded_daemon: bool = ...) -> None: ...
