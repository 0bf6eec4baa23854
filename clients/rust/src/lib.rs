//! The Rust client of [spread-sidecar](https://github.com/spread-sidecar/spread-sidecar): Spread
//! group communication over gRPC, with Tokio.
//!
//! [`connect`] opens a [`Mailbox`]. [`Sidecar`] is a channel for several mailboxes, with TLS and
//! tokens. All failures are of type [`SpreadError`]. The package's README has examples.

mod acknowledger;
mod code;
mod connector;
pub mod constants;
mod environment;
mod error;
mod event;
mod from_event;
pub mod header;
mod inbox;
mod info;
mod keep_alive;
mod mailbox;
mod mailbox_core;
mod notice;
mod options;
mod random;
mod reason;
mod receiver;
mod request;
mod request_reply;
mod rich_status;
mod rpc;
mod rules;
mod security;
mod send_frame;
mod sender;
mod sender_core;
mod sender_options;
mod service;
mod sidecar;
mod status;
mod target;
mod unreachable;

/// The generated code of the contract. Not part of the stable interface.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
#[rustfmt::skip]
#[path = "gen/spread.sidecar.v1.rs"]
pub mod contract;

#[allow(missing_docs, clippy::all)]
#[rustfmt::skip]
#[path = "gen/spread.sidecar.internal.v1.rs"]
mod rich;

pub use code::Code;
pub use error::{ErrorKind, Outcome, Refusal, SIDECAR_DOMAIN, SPREAD_DOMAIN, SpreadError};
pub use event::{
    ConnectionLost, ConnectionRestored, Event, EventInfo, GroupId, MembershipCause, RegularMessage, RejectedMessage,
    RejectedOperation, SelfLeaveMessage, TransitionalMessage, ViewMessage, VirtualSynchronySet,
};
pub use info::{
    CurrentView, MailboxInfo, MailboxLimits, MailboxState, PollResult, QueueLimits, SidecarVersion, VersionTriple,
};
pub use mailbox::{Events, Mailbox, Resumption};
pub use notice::{Attached, Notice, SlowConsumer};
pub use options::{
    AcknowledgementMode, AttachOptions, AuthMethod, DisconnectOptions, MailboxOptions, NameConflict, NameLoss,
    OverflowPolicy, QueueOptions, ReceiveOptions, ReconnectOptions, SoftLimit,
};
pub use reason::Reason;
pub use request_reply::{
    HandlerReply, IncomingRequest, IntoReply, Replies, Reply, RequestOptions, RequestReply, RequestReplyOptions,
    RequestService, RequestStatistics, ServeOptions,
};
pub use security::Tls;
pub use sender::Sender;
pub use sender_options::{OutgoingMessage, SenderOptions, SenderProgress};
pub use service::Service;
pub use sidecar::{Sidecar, SidecarBuilder, connect};
pub use status::StatusCode;

/// The target if neither the program nor the environment variable `SPREAD_SIDECAR_TARGET` sets one.
pub const DEFAULT_TARGET: &str = "127.0.0.1:4813";
/// The version of this crate.
pub const CLIENT_VERSION: &str = env!("CARGO_PKG_VERSION");
