//! Requests and replies over groups. The numbers in comments, such as Q3, are the rules of
//! `docs/request-reply.md`.

mod calls;
mod options;
mod outgoing;
mod pending;
mod reply;
mod service;
mod shared;
mod state;

pub use calls::{RequestReply, RequestService};
pub use options::{RequestOptions, RequestReplyOptions, ServeOptions};
pub use reply::{HandlerReply, IncomingRequest, IntoReply, Replies, Reply};
pub use state::RequestStatistics;

#[cfg(test)]
mod tests;
