package spreadsidecar

// Reason names what went wrong: Spread's name for the error, or one of the sidecar's own (ErrorReason in the
// contract, without its prefix). Each is an error to compare with:
//
//	errors.Is(err, spreadsidecar.ErrLeaseExpired)
type Reason string

// Error makes a Reason something to compare errors with.
func (r Reason) Error() string { return string(r) }

// Spread's own errors, by name. See the constants of [Code].
const (
	ErrIllegalSpread     Reason = "ILLEGAL_SPREAD"
	ErrCouldNotConnect   Reason = "COULD_NOT_CONNECT"
	ErrRejectQuota       Reason = "REJECT_QUOTA"
	ErrRejectNoName      Reason = "REJECT_NO_NAME"
	ErrRejectIllegalName Reason = "REJECT_ILLEGAL_NAME"
	ErrRejectNotUnique   Reason = "REJECT_NOT_UNIQUE"
	ErrRejectVersion     Reason = "REJECT_VERSION"
	ErrConnectionClosed  Reason = "CONNECTION_CLOSED"
	ErrRejectAuth        Reason = "REJECT_AUTH"
	ErrIllegalSession    Reason = "ILLEGAL_SESSION"
	ErrIllegalService    Reason = "ILLEGAL_SERVICE"
	ErrIllegalMessage    Reason = "ILLEGAL_MESSAGE"
	ErrIllegalGroup      Reason = "ILLEGAL_GROUP"
	ErrMessageTooLong    Reason = "MESSAGE_TOO_LONG"
	ErrNetErrorOnSession Reason = "NET_ERROR_ON_SESSION"
)

// Errors of this package: the call reached no sidecar, so nothing was sent.
const (
	// ErrSidecarUnreachable: no connection to the sidecar could be made; the metadata has target and cause.
	ErrSidecarUnreachable Reason = "SIDECAR_UNREACHABLE"
	// ErrNotASidecar: the server at the target does not know the call; the metadata has target.
	ErrNotASidecar Reason = "NOT_A_SIDECAR"
)

// The sidecar's own errors; the contract (mailbox_service.proto, ErrorReason) says when each comes.
const (
	ErrMalformedRequest        Reason = "MALFORMED_REQUEST"
	ErrFieldRequired           Reason = "FIELD_REQUIRED"
	ErrFieldInvalid            Reason = "FIELD_INVALID"
	ErrLimitOutOfRange         Reason = "LIMIT_OUT_OF_RANGE"
	ErrDaemonNotAllowed        Reason = "DAEMON_NOT_ALLOWED"
	ErrReceiverReplaced        Reason = "RECEIVER_REPLACED"
	ErrSequenceNotRetained     Reason = "SEQUENCE_NOT_RETAINED"
	ErrLeaseExpired            Reason = "LEASE_EXPIRED"
	ErrQueueOverflow           Reason = "QUEUE_OVERFLOW"
	ErrDraining                Reason = "DRAINING"
	ErrTooManyMailboxes        Reason = "TOO_MANY_MAILBOXES"
	ErrTooManyGroups           Reason = "TOO_MANY_GROUPS"
	ErrSendQueueFull           Reason = "SEND_QUEUE_FULL"
	ErrAdminOnly               Reason = "ADMIN_ONLY"
	ErrNoView                  Reason = "NO_VIEW"
	ErrMembershipOff           Reason = "MEMBERSHIP_OFF"
	ErrReconnectNotSupported   Reason = "RECONNECT_NOT_SUPPORTED"
	ErrMailboxDisconnected     Reason = "MAILBOX_DISCONNECTED"
	ErrInternal                Reason = "INTERNAL"
	ErrTotalQueueFull          Reason = "TOTAL_QUEUE_FULL"
	ErrDeadlineExceeded        Reason = "DEADLINE_EXCEEDED"
	ErrViewNotComing           Reason = "VIEW_NOT_COMING"
	ErrCredentialMissing       Reason = "CREDENTIAL_MISSING"
	ErrCredentialInvalid       Reason = "CREDENTIAL_INVALID"
	ErrReconnecting            Reason = "RECONNECTING"
	ErrTooManyCalls            Reason = "TOO_MANY_CALLS"
	ErrRateLimited             Reason = "RATE_LIMITED"
	ErrRequestTooLarge         Reason = "REQUEST_TOO_LARGE"
	ErrRequestTimeout          Reason = "REQUEST_TIMEOUT"
	ErrRequestBufferFull       Reason = "REQUEST_BUFFER_FULL"
	ErrConnectionTooOld        Reason = "CONNECTION_TOO_OLD"
	ErrCompressionNotSupported Reason = "COMPRESSION_NOT_SUPPORTED"
	ErrSlowConsumer            Reason = "SLOW_CONSUMER"
)
