use std::collections::HashSet;

use super::reply::{Replies, Reply};

/// How many replies a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Number(usize),
    All,
}

/// What a member answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyStatus {
    Ok,
    /// The handler failed.
    Error,
    /// The member has no handler for the group.
    NotServing,
    /// The queue of the member is full.
    Overloaded,
}

impl ReplyStatus {
    /// The value of the header. None for a normal reply.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Error => Some("error"),
            Self::NotServing => Some("not-serving"),
            Self::Overloaded => Some("overloaded"),
        }
    }

    pub fn from_header(value: Option<&str>) -> Self {
        match value {
            Some("error") => Self::Error,
            Some("not-serving") => Self::NotServing,
            Some("overloaded") => Self::Overloaded,
            _ => Self::Ok,
        }
    }
}

/// An open request: which members must answer, and what they answered (Q3 to Q7). Without I/O.
#[derive(Clone, Debug)]
pub(crate) struct PendingRequest {
    target: String,
    wanted: Wanted,
    is_private: bool,
    result: Replies,
    /// Everyone whose answer arrived, also before the members were known.
    answered: HashSet<String>,
    /// The members that must still answer. None while they are not known.
    waiting: Option<Vec<String>>,
}

impl PendingRequest {
    /// `target`: a group or a private group.
    pub fn new(target: &str, wanted: Wanted) -> Self {
        let is_private = is_private_group(target);
        Self {
            target: target.to_owned(),
            wanted: if is_private { Wanted::Number(1) } else { wanted },
            is_private,
            result: Replies::default(),
            answered: HashSet::new(),
            waiting: is_private.then(|| vec![target.to_owned()]),
        }
    }

    pub fn target(&self) -> &str {
        &self.target
    }

    /// The requester received its own request: these members of the view got it too (Q3).
    pub fn delivered(&mut self, members: impl IntoIterator<Item = String>) {
        if self.waiting.is_none() {
            self.waiting = Some(members.into_iter().filter(|member| !self.answered.contains(member)).collect());
        }
    }

    /// A later view of the group (Q4).
    pub fn view(&mut self, members: &HashSet<&str>) {
        if !self.is_private {
            self.leave(|member| !members.contains(member));
        }
    }

    /// A member disconnected, or a partition separated it (Q5).
    pub fn disconnected(&mut self, gone: &str) {
        if self.is_private {
            self.leave(|member| member == gone);
        }
    }

    /// An answer of a member. Returns false for a second one (Q7).
    pub fn answer(&mut self, status: ReplyStatus, reply: Reply) -> bool {
        if !self.answered.insert(reply.sender.clone()) {
            return false;
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.retain(|member| *member != reply.sender);
        }
        match status {
            ReplyStatus::Ok | ReplyStatus::Error => self.result.replies.push(reply),
            ReplyStatus::Overloaded => self.result.overloaded.push(reply.sender),
            ReplyStatus::NotServing => {}
        }
        true
    }

    /// The timeout passed (Q6).
    pub fn time_out(&mut self) {
        self.result.timed_out = true;
    }

    /// Whether the request has ended.
    pub fn is_done(&self) -> bool {
        self.has_enough() || self.has_all() || self.result.timed_out || self.is_hopeless()
    }

    /// The result of a request that has ended.
    pub fn into_result(self) -> Replies {
        let has_enough = self.has_enough();
        let complete = match self.wanted {
            Wanted::All => self.has_all() && self.result.left.is_empty() && self.result.overloaded.is_empty(),
            Wanted::Number(_) => has_enough,
        };
        let missing = if has_enough { Vec::new() } else { self.waiting.unwrap_or_default() };
        Replies { missing, complete, ..self.result }
    }

    fn has_enough(&self) -> bool {
        matches!(self.wanted, Wanted::Number(number) if self.result.replies.len() >= number)
    }

    fn has_all(&self) -> bool {
        self.waiting.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether fewer replies than requested are still possible (Q5).
    fn is_hopeless(&self) -> bool {
        match (self.wanted, &self.waiting) {
            (Wanted::Number(number), Some(waiting)) => self.result.replies.len() + waiting.len() < number,
            _ => false,
        }
    }

    fn leave(&mut self, has_left: impl Fn(&str) -> bool) {
        let Some(waiting) = &mut self.waiting else { return };
        let (left, remaining) = std::mem::take(waiting).into_iter().partition(|member| has_left(member));
        *waiting = remaining;
        let left: Vec<String> = left;
        self.result.left.extend(left);
    }
}

pub(crate) fn is_private_group(target: &str) -> bool {
    target.starts_with('#')
}
