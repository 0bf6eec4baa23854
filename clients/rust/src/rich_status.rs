//! Converts errors of gRPC to [`SpreadError`], with `retryable` and `outcome`.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;

use crate::error::Failure;
use crate::rich::{ErrorInfo, RetryInfo, RichStatus};
use crate::rules::failures::{is_retryable, is_transport_status, outcome_of_send};
use crate::{SpreadError, StatusCode};

/// F7: malformed details must not hide the status and its message.
fn read_details(details: &[u8]) -> (Option<ErrorInfo>, Option<RetryInfo>) {
    let (mut info, mut retry) = (None, None);
    for detail in RichStatus::decode(details).unwrap_or_default().details {
        match detail.type_url.rsplit('/').next() {
            Some("google.rpc.ErrorInfo") => info = ErrorInfo::decode(&*detail.value).ok(),
            Some("google.rpc.RetryInfo") => retry = RetryInfo::decode(&*detail.value).ok(),
            _ => {}
        }
    }
    (info, retry)
}

/// The message with its sources: gRPC's own message says little more than "transport error".
pub(crate) fn sentence(status: &tonic::Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !more.is_empty() && !text.contains(&more) {
            text = if text.is_empty() { more } else { format!("{text}: {more}") };
        }
        cause = error.source();
    }
    text
}

/// The option of this client for a field of the contract, if its name differs.
fn option_of(field: &str) -> Option<&'static str> {
    match field {
        "daemon" => Some("spread_name"),
        "up_to_sequence" => Some("up_to"),
        _ => None,
    }
}

/// Replaces the name of the field in a message of the sidecar with the name of the option.
fn with_option_name(sentence: String, field: &str) -> String {
    match (option_of(field), sentence.strip_prefix(field)) {
        (Some(option), Some(rest)) if rest.starts_with(' ') => format!("{option}{rest}"),
        _ => sentence,
    }
}

pub(crate) fn from_status(status: tonic::Status) -> SpreadError {
    let (info, retry) = read_details(status.details());
    let mut code = StatusCode::from_number(status.code() as i32);
    // A status with a source comes from this client. It is not a cancellation, because a caller
    // that cancels gets no status.
    if info.is_none() && status.source().is_some() && is_transport_status(code) {
        code = StatusCode::Unavailable;
    }
    let field = info.as_ref().and_then(|info| info.metadata.get("field")).map_or("", String::as_str);
    let mut failure = Failure::new(code, with_option_name(sentence(&status), field));
    failure.retryable = is_retryable(code, info.is_some(), retry.is_some());
    failure.retry_delay = retry.and_then(|retry| retry.retry_delay).and_then(to_duration);
    failure.send_outcome = outcome_of_send(code, info.as_ref().map(|info| &info.metadata));
    match info {
        // The error contains the whole response of a sidecar. As a cause, a report would print it
        // twice.
        Some(info) => {
            failure.reason = info.reason;
            failure.domain = info.domain;
            failure.metadata = info.metadata;
        }
        None => failure.cause = Some(Arc::new(status)),
    }
    failure.into()
}

/// None for a negative duration, which the contract does not use.
pub(crate) fn to_duration(duration: prost_types::Duration) -> Option<Duration> {
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use prost::Message;

    use super::{from_status, with_option_name};
    use crate::rich::{ErrorInfo, RichStatus};

    #[test]
    fn an_error_states_the_answer_of_a_sidecar_once() {
        let info = ErrorInfo { reason: "FIELD_INVALID".to_owned(), ..ErrorInfo::default() };
        let detail = prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: info.encode_to_vec(),
        };
        let details = RichStatus { details: vec![detail], ..RichStatus::default() }.encode_to_vec();
        let status = tonic::Status::with_details(tonic::Code::InvalidArgument, "no such thing", details.into());
        let error = from_status(status);
        assert_eq!(error.to_string(), "FIELD_INVALID: no such thing");
        assert!(error.source().is_none());
        assert!(from_status(tonic::Status::unknown("cut")).source().is_some());
    }

    #[test]
    fn a_sentence_names_the_field_as_the_option_does() {
        for (sentence, field, expected) in [
            ("daemon has 300 bytes", "daemon", "spread_name has 300 bytes"),
            ("daemons differ", "daemon", "daemons differ"),
            ("private_name has 11 bytes", "private_name", "private_name has 11 bytes"),
            ("the daemon has ended", "daemon", "the daemon has ended"),
            ("no field", "", "no field"),
        ] {
            assert_eq!(with_option_name(sentence.to_owned(), field), expected);
        }
    }
}
