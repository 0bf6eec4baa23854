use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;

/// A reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The private group of the member that replied.
    pub sender: String,
    /// The payload. Empty if `error` is set.
    pub payload: Bytes,
    /// The headers of the reply.
    pub headers: BTreeMap<String, String>,
    /// The message of the error with which the handler failed.
    pub error: Option<String>,
}

impl Reply {
    /// The payload as UTF-8. Invalid bytes are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// The result of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replies {
    /// The replies in the order of their arrival, at most one from each member.
    pub replies: Vec<Reply>,
    /// Members that got the request and left the group, or disconnected, without a reply.
    pub left: Vec<String>,
    /// Members that rejected the request, because too many requests waited for their handlers.
    pub overloaded: Vec<String>,
    /// Members without a reply when the request ended too early. Empty if the requester does not
    /// know the members.
    pub missing: Vec<String>,
    /// Whether the timeout passed.
    pub timed_out: bool,
    /// Whether all requested replies arrived.
    pub complete: bool,
}

/// A request that a handler gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IncomingRequest {
    /// The payload of the request.
    pub payload: Bytes,
    /// The private group of the requester.
    pub sender: String,
    /// The group, or the private group of this member.
    pub group: String,
    /// The message type, which the requester chose.
    pub message_type: i32,
    /// The headers of the request.
    pub headers: BTreeMap<String, String>,
}

impl IncomingRequest {
    /// The payload as UTF-8. Invalid bytes are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// The reply of a handler: a payload with headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct HandlerReply {
    pub(super) payload: Bytes,
    pub(super) headers: BTreeMap<String, String>,
}

impl HandlerReply {
    /// A reply with this payload.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self { payload: payload.into(), headers: BTreeMap::new() }
    }

    /// Sets one header. It replaces an earlier header with this name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }
}

/// What a handler can return: a payload, a [`HandlerReply`], or a `Result` of one of them. The
/// requester gets the text of an error.
pub trait IntoReply {
    /// The reply, or the message of the error.
    fn into_reply(self) -> Result<HandlerReply, String>;
}

impl IntoReply for HandlerReply {
    fn into_reply(self) -> Result<HandlerReply, String> {
        Ok(self)
    }
}

impl<R: IntoReply, E: Display> IntoReply for Result<R, E> {
    fn into_reply(self) -> Result<HandlerReply, String> {
        self.map_err(|error| error.to_string())?.into_reply()
    }
}

macro_rules! payloads {
    ($($payload:ty),*) => {$(
        impl IntoReply for $payload {
            fn into_reply(self) -> Result<HandlerReply, String> {
                Ok(HandlerReply::new(self))
            }
        }
    )*};
}

payloads!(Bytes, String, Vec<u8>, &'static str, &'static [u8]);
