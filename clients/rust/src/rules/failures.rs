use std::collections::BTreeMap;

use crate::{Code, Outcome, Reason, SpreadError, StatusCode};

/// F1: the statuses of transport failures without a reason.
const TRANSPORT: [StatusCode; 4] =
    [StatusCode::Unavailable, StatusCode::Cancelled, StatusCode::Internal, StatusCode::Unknown];

/// F6: the statuses that leave open whether the sidecar executed the request.
const UNKNOWN_OUTCOME: [StatusCode; 5] = [
    StatusCode::Unavailable,
    StatusCode::Cancelled,
    StatusCode::DeadlineExceeded,
    StatusCode::Internal,
    StatusCode::Unknown,
];

/// F1: whether an error without a reason is a transport failure.
pub(crate) fn is_transport_status(status: StatusCode) -> bool {
    TRANSPORT.contains(&status)
}

/// F1: whether the connection broke. The sidecar gives a reason when it ends a stream, also when it
/// closes the connection.
fn is_transport_failure(error: &SpreadError) -> bool {
    matches!(error.sidecar_reason(), Some(Reason::ConnectionTooOld | Reason::SidecarUnreachable))
        || (error.reason().is_empty() && is_transport_status(error.status()))
}

/// F2: whether a later call with the same mailbox may succeed. `token_may_change`: the client reads
/// the token again for each call.
pub(crate) fn may_pass(error: &SpreadError, token_may_change: bool) -> bool {
    is_transport_failure(error) || (token_may_change && error.status() == StatusCode::Unauthenticated)
}

/// F3: whether the error ends a stream, but not its mailbox. A new stream would replace the new
/// receiver, or fail again.
pub(crate) fn ends_stream_only(error: &SpreadError) -> bool {
    matches!(error.sidecar_reason(), Some(Reason::ReceiverReplaced | Reason::SequenceNotRetained))
}

/// F4: whether the error means that the mailbox has ended.
pub(crate) fn has_mailbox_ended(error: &SpreadError) -> bool {
    matches!(error.code(), Some(Code::IllegalSession | Code::ConnectionClosed | Code::NetErrorOnSession))
        || matches!(
            error.sidecar_reason(),
            Some(
                Reason::LeaseExpired
                    | Reason::MailboxDisconnected
                    | Reason::QueueOverflow
                    | Reason::SlowConsumer
                    | Reason::Draining
            )
        )
}

/// F5: whether the same call may succeed later.
pub(crate) fn is_retryable(status: StatusCode, has_error_info: bool, has_retry_info: bool) -> bool {
    has_retry_info || (status == StatusCode::Unavailable && !has_error_info)
}

/// F6: the outcome of a failed send. `metadata` is the metadata of the ErrorInfo, if there is one.
pub(crate) fn outcome_of_send(status: StatusCode, metadata: Option<&BTreeMap<String, String>>) -> Outcome {
    let is_unknown = match metadata {
        None => UNKNOWN_OUTCOME.contains(&status),
        // The sidecar itself responded: unless it says otherwise, it rejected the message.
        Some(metadata) => match metadata.get("outcome").map(String::as_str) {
            Some("unknown") => true,
            Some("not-sent") => false,
            _ => status == StatusCode::Internal,
        },
    };
    if is_unknown { Outcome::Unknown } else { Outcome::NotSent }
}

/// C3: whether a disconnect that fails with this error returns false.
pub(crate) fn is_ignored_by_disconnect(error: &SpreadError) -> bool {
    is_transport_failure(error) || has_mailbox_ended(error)
}

/// C7: whether a later call of `wait_for_ready` may succeed.
pub(crate) fn may_become_ready(error: &SpreadError) -> bool {
    matches!(error.status(), StatusCode::Unavailable | StatusCode::DeadlineExceeded)
}
