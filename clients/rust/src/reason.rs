use std::fmt;

/// The sidecar's own reasons for failing: the contract's `ErrorReason`, and those of a sidecar that was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// INVALID_ARGUMENT: the request is not a well-formed message of this contract.
    MalformedRequest,
    /// INVALID_ARGUMENT: a field that is required is empty; metadata `field`.
    FieldRequired,
    /// INVALID_ARGUMENT: a field's value is not one of those allowed; metadata `field`, `bound`.
    FieldInvalid,
    /// INVALID_ARGUMENT: a limit or duration is outside its bounds; metadata `field`, `bound`.
    LimitOutOfRange,
    /// PERMISSION_DENIED: this spread name is neither a configured daemon nor on the allow-list.
    DaemonNotAllowed,
    /// ABORTED: another Receive took over this mailbox.
    ReceiverReplaced,
    /// OUT_OF_RANGE: after_sequence or up_to_sequence is not a retained or known sequence; metadata
    /// `oldest_retained_sequence` and `last_sequence`.
    SequenceNotRetained,
    /// ABORTED: no Receive was attached and no call came within the lease.
    LeaseExpired,
    /// RESOURCE_EXHAUSTED: the event queue reached its bound and the policy is DISCONNECT; metadata `bound`.
    QueueOverflow,
    /// UNAVAILABLE: the sidecar is shutting down.
    Draining,
    /// RESOURCE_EXHAUSTED: the sidecar, or this client, has as many mailboxes as it may; metadata `limit`, `bound`.
    TooManyMailboxes,
    /// RESOURCE_EXHAUSTED: the mailbox is in as many groups as it may be; metadata `bound`.
    TooManyGroups,
    /// RESOURCE_EXHAUSTED: too many bytes wait to be sent to the daemon; metadata `bound`. Nothing of this
    /// message was sent.
    SendQueueFull,
    /// PERMISSION_DENIED: the call needs the admin credential.
    AdminOnly,
    /// NOT_FOUND: the mailbox is not in this group or no view of it has arrived yet.
    NoView,
    /// FAILED_PRECONDITION: await_view needs a mailbox that receives membership messages.
    MembershipOff,
    /// UNIMPLEMENTED: this sidecar does not offer reconnecting mailboxes.
    ReconnectNotSupported,
    /// ABORTED: the mailbox was disconnected while the call waited.
    MailboxDisconnected,
    /// INTERNAL: a defect of the sidecar; the cause is in its log under metadata `log_id`.
    Internal,
    /// RESOURCE_EXHAUSTED: the queues of all mailboxes together have reached the sidecar's bound.
    TotalQueueFull,
    /// DEADLINE_EXCEEDED: the call's deadline passed before it was done; metadata `outcome` is "not-sent" or
    /// "unknown".
    DeadlineExceeded,
    /// FAILED_PRECONDITION: the join that this call waited for was refused by the daemon's policy, or a leave
    /// of the same group came first.
    ViewNotComing,
    /// UNAUTHENTICATED: this sidecar wants a client token (`authorization: Bearer …`), and the call
    /// brought none.
    CredentialMissing,
    /// UNAUTHENTICATED: the client token is none of those that this sidecar takes, or no longer; a stream whose
    /// token is withdrawn ends with it.
    CredentialInvalid,
    /// UNAVAILABLE: the daemon connection is lost and being made anew (ReconnectPolicy), and messages are not to
    /// wait for it. Metadata `outcome` is "not-sent", and a google.rpc.RetryInfo says when to try again; on a
    /// MulticastStream "unknown", when earlier messages of it may be in doubt.
    Reconnecting,
    /// RESOURCE_EXHAUSTED: as many calls are open as may be, in all or of this client; metadata `limit`, `bound`.
    /// Nothing was done. A google.rpc.RetryInfo says when to try again.
    TooManyCalls,
    /// RESOURCE_EXHAUSTED: this client made more calls, or sent more messages, in a second than it may; metadata
    /// `limit`, `bound`. Nothing was done. A google.rpc.RetryInfo says when there is room.
    RateLimited,
    /// RESOURCE_EXHAUSTED: a request message is larger than it may be; metadata `limit`, `bound`.
    RequestTooLarge,
    /// DEADLINE_EXCEEDED: the request did not arrive in full within the sidecar's time for it; metadata `limit`,
    /// `bound`. Nothing was done.
    RequestTimeout,
    /// RESOURCE_EXHAUSTED: requests that have arrived in part hold as many bytes as they may, in all or on this
    /// connection; metadata `limit`, `bound`. Nothing was done. A google.rpc.RetryInfo says when to try again.
    RequestBufferFull,
    /// UNAVAILABLE: the connection reached the age that the sidecar gives it. The mailbox lives on: call again, and
    /// resume a Receive. Metadata `outcome` is "unknown" where something may have been done.
    ConnectionTooOld,
    /// UNIMPLEMENTED: the request is compressed, and this sidecar takes none that is, or not by this method.
    CompressionNotSupported,
    /// RESOURCE_EXHAUSTED: the event queue stayed above its soft bound for longer than its time (SoftLimit);
    /// metadata `bound` and `time`.
    SlowConsumer,
    /// UNAVAILABLE, found by this crate: no connection to the sidecar could be made, so nothing was sent; metadata `target`
    /// and `cause`.
    SidecarUnreachable,
    /// UNIMPLEMENTED, found by this crate: the server at the target does not know the call; metadata `target`.
    NotASidecar,
}

const NAMES: [(Reason, &str); 35] = [
    (Reason::MalformedRequest, "MALFORMED_REQUEST"),
    (Reason::FieldRequired, "FIELD_REQUIRED"),
    (Reason::FieldInvalid, "FIELD_INVALID"),
    (Reason::LimitOutOfRange, "LIMIT_OUT_OF_RANGE"),
    (Reason::DaemonNotAllowed, "DAEMON_NOT_ALLOWED"),
    (Reason::ReceiverReplaced, "RECEIVER_REPLACED"),
    (Reason::SequenceNotRetained, "SEQUENCE_NOT_RETAINED"),
    (Reason::LeaseExpired, "LEASE_EXPIRED"),
    (Reason::QueueOverflow, "QUEUE_OVERFLOW"),
    (Reason::Draining, "DRAINING"),
    (Reason::TooManyMailboxes, "TOO_MANY_MAILBOXES"),
    (Reason::TooManyGroups, "TOO_MANY_GROUPS"),
    (Reason::SendQueueFull, "SEND_QUEUE_FULL"),
    (Reason::AdminOnly, "ADMIN_ONLY"),
    (Reason::NoView, "NO_VIEW"),
    (Reason::MembershipOff, "MEMBERSHIP_OFF"),
    (Reason::ReconnectNotSupported, "RECONNECT_NOT_SUPPORTED"),
    (Reason::MailboxDisconnected, "MAILBOX_DISCONNECTED"),
    (Reason::Internal, "INTERNAL"),
    (Reason::TotalQueueFull, "TOTAL_QUEUE_FULL"),
    (Reason::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (Reason::ViewNotComing, "VIEW_NOT_COMING"),
    (Reason::CredentialMissing, "CREDENTIAL_MISSING"),
    (Reason::CredentialInvalid, "CREDENTIAL_INVALID"),
    (Reason::Reconnecting, "RECONNECTING"),
    (Reason::TooManyCalls, "TOO_MANY_CALLS"),
    (Reason::RateLimited, "RATE_LIMITED"),
    (Reason::RequestTooLarge, "REQUEST_TOO_LARGE"),
    (Reason::RequestTimeout, "REQUEST_TIMEOUT"),
    (Reason::RequestBufferFull, "REQUEST_BUFFER_FULL"),
    (Reason::ConnectionTooOld, "CONNECTION_TOO_OLD"),
    (Reason::CompressionNotSupported, "COMPRESSION_NOT_SUPPORTED"),
    (Reason::SlowConsumer, "SLOW_CONSUMER"),
    (Reason::SidecarUnreachable, "SIDECAR_UNREACHABLE"),
    (Reason::NotASidecar, "NOT_A_SIDECAR"),
];

impl Reason {
    /// The name in the contract, such as `LEASE_EXPIRED`.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(reason, _)| *reason == self).map_or("", |(_, name)| name)
    }

    /// The reason with a name of the contract; none for one that a later sidecar has brought.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(reason, _)| *reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
