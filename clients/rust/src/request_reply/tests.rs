//! The same examples as in the tests of the other clients.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use super::pending::{PendingRequest, ReplyStatus, Wanted};
use super::reply::{HandlerReply, IntoReply, Replies, Reply};

const A: &str = "#a#n";
const B: &str = "#b#n";
const C: &str = "#c#n";

fn answers(pending: &mut PendingRequest, status: ReplyStatus, senders: &[&str]) -> Vec<bool> {
    let reply = |sender: &str| Reply {
        sender: sender.to_owned(),
        payload: Bytes::from_static(b"x"),
        headers: BTreeMap::new(),
        error: None,
    };
    senders.iter().map(|sender| pending.answer(status, reply(sender))).collect()
}

fn delivered(pending: &mut PendingRequest, members: &[&str]) {
    pending.delivered(members.iter().map(|member| (*member).to_owned()));
}

fn view(pending: &mut PendingRequest, members: &[&str]) {
    pending.view(&members.iter().copied().collect::<HashSet<_>>());
}

fn result(pending: &PendingRequest) -> Option<Replies> {
    pending.is_done().then(|| pending.clone().into_result())
}

fn senders(replies: &Replies) -> Vec<&str> {
    replies.replies.iter().map(|reply| reply.sender.as_str()).collect()
}

#[test]
fn a_request_for_a_number_of_replies_ends_with_this_number() {
    let mut pending = PendingRequest::new("g", Wanted::Number(2));
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    assert_eq!(result(&pending), None);
    answers(&mut pending, ReplyStatus::Error, &[B]);
    let replies = result(&pending).unwrap();
    assert_eq!(senders(&replies), [A, B]);
    assert!(replies.complete && replies.missing.is_empty());
}

#[test]
fn a_request_for_a_number_of_replies_counts_each_member_once() {
    let mut pending = PendingRequest::new("g", Wanted::Number(2));
    assert_eq!(answers(&mut pending, ReplyStatus::Ok, &[A, A]), [true, false]);
    assert_eq!(result(&pending), None);
}

#[test]
fn a_request_for_a_number_of_replies_ends_when_fewer_replies_are_possible() {
    let mut pending = PendingRequest::new("g", Wanted::Number(2));
    delivered(&mut pending, &[A, B, C]);
    answers(&mut pending, ReplyStatus::NotServing, &[A]);
    assert_eq!(result(&pending), None);
    view(&mut pending, &[A, C]);
    let replies = result(&pending).unwrap();
    assert!(replies.replies.is_empty() && !replies.complete);
    assert_eq!((replies.left, replies.missing), (vec![B.to_owned()], vec![C.to_owned()]));
}

#[test]
fn a_request_for_a_number_of_replies_ends_with_the_timeout_if_the_members_are_not_known() {
    let mut pending = PendingRequest::new("g", Wanted::Number(2));
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    view(&mut pending, &[]);
    assert_eq!(result(&pending), None);
    pending.time_out();
    let replies = result(&pending).unwrap();
    assert!(replies.timed_out && replies.missing.is_empty() && !replies.complete);
}

#[test]
fn a_request_to_all_members_ends_when_each_member_has_replied_declined_or_left() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    delivered(&mut pending, &[A, B, C]);
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    answers(&mut pending, ReplyStatus::NotServing, &[C]);
    assert_eq!(result(&pending), None);
    view(&mut pending, &[A, C]);
    let replies = result(&pending).unwrap();
    assert_eq!(senders(&replies), [A]);
    assert_eq!(replies.left, [B]);
    assert!(!replies.complete && !replies.timed_out);
}

#[test]
fn a_request_to_all_members_is_complete_if_no_member_left_or_rejected_it() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    delivered(&mut pending, &[A, C]);
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    answers(&mut pending, ReplyStatus::NotServing, &[C]);
    assert!(result(&pending).unwrap().complete);
}

#[test]
fn a_request_to_all_members_counts_replies_that_arrive_before_the_own_request() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    assert_eq!(result(&pending), None);
    delivered(&mut pending, &[A]);
    assert!(result(&pending).unwrap().complete);
}

#[test]
fn a_request_to_all_members_ends_at_once_without_other_members() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    delivered(&mut pending, &[]);
    let replies = result(&pending).unwrap();
    assert!(replies.complete && replies.replies.is_empty());
}

#[test]
fn a_request_to_all_members_lists_members_that_have_too_many_requests() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    delivered(&mut pending, &[A]);
    answers(&mut pending, ReplyStatus::Overloaded, &[A]);
    let replies = result(&pending).unwrap();
    assert_eq!(replies.overloaded, [A]);
    assert!(!replies.complete);
}

#[test]
fn a_request_to_all_members_lists_missing_members_after_the_timeout() {
    let mut pending = PendingRequest::new("g", Wanted::All);
    delivered(&mut pending, &[A, B]);
    answers(&mut pending, ReplyStatus::Ok, &[B]);
    pending.time_out();
    let replies = result(&pending).unwrap();
    assert_eq!(replies.missing, [A]);
    assert!(replies.timed_out && !replies.complete);
}

#[test]
fn a_request_to_a_private_group_waits_for_one_reply() {
    let mut pending = PendingRequest::new(A, Wanted::All);
    answers(&mut pending, ReplyStatus::Ok, &[A]);
    let replies = result(&pending).unwrap();
    assert_eq!(senders(&replies), [A]);
    assert!(replies.complete);
}

#[test]
fn a_request_to_a_private_group_ends_when_the_member_disconnects() {
    let mut pending = PendingRequest::new(A, Wanted::Number(1));
    pending.disconnected(B);
    view(&mut pending, &[B]);
    assert_eq!(result(&pending), None);
    pending.disconnected(A);
    let replies = result(&pending).unwrap();
    assert_eq!(replies.left, [A]);
    assert!(!replies.complete);
}

#[test]
fn a_handler_returns_a_payload_a_reply_or_an_error() {
    assert_eq!("x".into_reply(), Ok(HandlerReply::new("x")));
    assert_eq!(Ok::<_, String>(vec![1]).into_reply(), Ok(HandlerReply::new(vec![1])));
    assert_eq!(Err::<Bytes, _>("it failed").into_reply(), Err("it failed".to_owned()));
}
