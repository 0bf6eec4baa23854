use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::pending::{PendingRequest, ReplyStatus, Wanted};
use super::reply::{Replies, Reply};
use super::service::Service;
use crate::error::Failure;
use crate::{MembershipCause, Outcome, Reason, SIDECAR_DOMAIN, SpreadError, StatusCode, ViewMessage};

const MAX_OPEN_REQUESTS: usize = 10_000;

/// Counts of a [`crate::RequestReply`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStatistics {
    /// Open requests.
    pub open: usize,
    /// Replies to requests that had ended.
    pub late_replies: u64,
    /// Second replies of a member.
    pub duplicate_replies: u64,
}

pub(super) type Done = oneshot::Receiver<Result<Replies, SpreadError>>;

struct OpenRequest {
    pending: PendingRequest,
    done: oneshot::Sender<Result<Replies, SpreadError>>,
}

/// What the object knows. Without I/O.
#[derive(Default)]
pub(super) struct State {
    open: HashMap<String, OpenRequest>,
    /// In the order in which they were opened (Q11).
    pub services: Vec<Arc<Service>>,
    /// The members of each group that the mailbox is in, in the order of the view.
    members: HashMap<String, Vec<String>>,
    /// The groups that the mailbox leaves, until the self-leave.
    pub leaving: HashSet<String>,
    counter: u64,
    late: u64,
    duplicate: u64,
    pub end: Option<SpreadError>,
}

impl State {
    pub fn check_open(&self) -> Result<(), SpreadError> {
        self.end.clone().map_or(Ok(()), Err)
    }

    pub fn statistics(&self) -> RequestStatistics {
        RequestStatistics { open: self.open.len(), late_replies: self.late, duplicate_replies: self.duplicate }
    }

    /// Opens a request, and returns its ID.
    pub fn open(&mut self, prefix: &str, target: &str, wanted: Wanted) -> Result<(String, Done), SpreadError> {
        self.check_open()?;
        if self.open.len() >= MAX_OPEN_REQUESTS {
            return Err(too_many_requests());
        }
        self.counter += 1;
        let id = format!("{prefix}{}", self.counter);
        let (done, receiver) = oneshot::channel();
        self.open.insert(id.clone(), OpenRequest { pending: PendingRequest::new(target, wanted), done });
        Ok((id, receiver))
    }

    /// Removes a request whose timeout passed, and returns its result.
    pub fn time_out(&mut self, id: &str) -> Option<Replies> {
        let mut pending = self.open.remove(id)?.pending;
        pending.time_out();
        Some(pending.into_result())
    }

    pub fn forget(&mut self, id: &str) {
        self.open.remove(id);
    }

    pub fn fail(&mut self, id: &str, error: SpreadError) {
        if let Some(open) = self.open.remove(id) {
            open.done.send(Err(error)).ok();
        }
    }

    pub fn fail_all(&mut self, error: &SpreadError) {
        for (_, open) in self.open.drain() {
            open.done.send(Err(error.clone())).ok();
        }
    }

    fn settle(&mut self, id: &str) {
        if self.open.get(id).is_some_and(|open| open.pending.is_done())
            && let Some(open) = self.open.remove(id)
        {
            open.done.send(Ok(open.pending.into_result())).ok();
        }
    }

    pub fn on_reply(&mut self, id: &str, status: ReplyStatus, reply: Reply) {
        let Some(open) = self.open.get_mut(id) else {
            self.late += 1;
            return;
        };
        if !open.pending.answer(status, reply) {
            self.duplicate += 1;
        }
        self.settle(id);
    }

    /// The view in which the requester receives its own request is the view in which all members
    /// receive it (Q3).
    pub fn on_own_request(&mut self, id: &str, private_group: &str) {
        let Some(open) = self.open.get_mut(id) else { return };
        let Some(members) = self.members.get(open.pending.target()) else { return };
        let serves = self.services.iter().any(|service| service.group == open.pending.target());
        let others = members.iter().filter(|member| serves || *member != private_group);
        open.pending.delivered(others.cloned());
        self.settle(id);
    }

    pub fn on_view(&mut self, view: &ViewMessage) {
        let members: HashSet<_> = view.members.iter().map(String::as_str).collect();
        let has_gone = matches!(view.cause, MembershipCause::Disconnect | MembershipCause::Network);
        let mut done = Vec::new();
        for (id, OpenRequest { pending, .. }) in &mut self.open {
            if pending.target() == view.group {
                pending.view(&members);
            } else if has_gone {
                let gone = view.changed_members.iter().filter(|member| !members.contains(member.as_str()));
                gone.for_each(|member| pending.disconnected(member));
            }
            if pending.is_done() {
                done.push(id.clone());
            }
        }
        done.iter().for_each(|id| self.settle(id));
        self.members.insert(view.group.clone(), view.members.clone());
    }

    pub fn on_self_leave(&mut self, group: &str) {
        self.members.remove(group);
        self.leaving.remove(group);
    }

    /// The sidecar lost the daemon connection (Q9).
    pub fn on_connection_lost(&mut self) {
        self.members.clear();
        self.leaving.clear();
        let message = "the sidecar lost the daemon connection while the request waited for replies";
        let mut failure = Failure::new(StatusCode::Unavailable, message);
        failure.outcome = Some(Outcome::Unknown);
        self.fail_all(&failure.into());
    }

    pub fn is_member(&self, group: &str) -> bool {
        self.members.contains_key(group) && !self.leaving.contains(group)
    }

    /// The service of a request to these groups (Q11).
    pub fn service_of(&self, groups: &[String], private_group: &str) -> Option<Arc<Service>> {
        let named = groups.iter().find_map(|group| self.services.iter().find(|service| service.group == *group));
        let is_private = || groups.iter().any(|group| group == private_group);
        named.or_else(|| self.services.first().filter(|_| is_private())).cloned()
    }
}

fn too_many_requests() -> SpreadError {
    let message = format!("too many requests are open; at most {MAX_OPEN_REQUESTS} are allowed");
    let mut failure = Failure::new(StatusCode::ResourceExhausted, message);
    failure.reason = Reason::TooManyCalls.as_str().to_owned();
    failure.domain = SIDECAR_DOMAIN.to_owned();
    failure.metadata.insert("limit".to_owned(), "requests".to_owned());
    failure.metadata.insert("bound".to_owned(), MAX_OPEN_REQUESTS.to_string());
    failure.retryable = true;
    failure.outcome = Some(Outcome::NotSent);
    failure.into()
}
