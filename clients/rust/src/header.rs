//! The reserved names of message headers. Use these names only for the purpose that each constant
//! states.
//!
//! A name has 1 to 64 characters of `a-z 0-9 - _ .`, and a value is text. All headers of a message
//! have at most 8,192 bytes: 3 for each header, its name and its value in UTF-8. The sidecar checks
//! these rules.

/// W3C Trace Context: the position of the message in a trace. Reserved for tracing.
pub const TRACEPARENT: &str = "traceparent";
/// W3C Trace Context: data of tracing systems. Reserved for tracing.
pub const TRACESTATE: &str = "tracestate";
/// W3C Baggage: data of the application that follows a trace. Reserved for tracing.
pub const BAGGAGE: &str = "baggage";
/// The media type of the payload, such as `application/json`.
pub const CONTENT_TYPE: &str = "content-type";
/// The group or private group that expects the reply to this message.
pub const REPLY_TO: &str = "reply-to";
/// The value that a reply repeats, so that the requester finds the request of the reply.
pub const CORRELATION_ID: &str = "correlation-id";
