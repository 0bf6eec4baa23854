"""One open request, without I/O."""

from __future__ import annotations

from spread_sidecar import Replies, Reply
from spread_sidecar._core.request_reply.pending_request import PendingRequest

A, B, C = "#a#n", "#b#n", "#c#n"


def answers(pending: PendingRequest, status: str, *senders: str) -> list[bool]:
    return [pending.answer(status, Reply(sender, b"x")) for sender in senders]


def result_of(pending: PendingRequest) -> Replies:
    assert pending.result is not None
    return pending.result


def senders_of(result: Replies) -> list[str]:
    return [reply.sender for reply in result.replies]


def test_a_request_for_a_number_of_replies_ends_with_this_number() -> None:
    pending = PendingRequest("g", 2)
    answers(pending, "ok", A)
    assert pending.result is None
    answers(pending, "error", B)
    result = result_of(pending)
    assert (senders_of(result), result.complete, result.missing) == ([A, B], True, ())


def test_a_request_for_a_number_of_replies_counts_each_member_once() -> None:
    pending = PendingRequest("g", 2)
    assert answers(pending, "ok", A, A) == [True, False]
    assert pending.result is None


def test_a_request_for_a_number_of_replies_ends_when_fewer_replies_are_possible() -> None:
    pending = PendingRequest("g", 2)
    pending.delivered([A, B, C])
    answers(pending, "not-serving", A)
    assert pending.result is None
    pending.view({A, C})
    assert result_of(pending) == Replies((), (B,), (), (C,), timed_out=False, complete=False)


def test_a_request_with_unknown_members_ends_with_the_timeout() -> None:
    pending = PendingRequest("g", 2)
    answers(pending, "ok", A)
    pending.view(set())
    assert pending.result is None
    pending.time_out()
    result = result_of(pending)
    assert (result.timed_out, result.missing, result.complete) == (True, (), False)


def test_a_request_to_all_members_ends_when_each_member_has_replied_declined_or_left() -> None:
    pending = PendingRequest("g", "all")
    pending.delivered([A, B, C])
    answers(pending, "ok", A)
    answers(pending, "not-serving", C)
    assert pending.result is None
    pending.view({A, C})
    result = result_of(pending)
    assert (senders_of(result), result.left, result.complete, result.timed_out) == ([A], (B,), False, False)


def test_a_request_to_all_members_is_complete_if_no_member_left_or_rejected_it() -> None:
    pending = PendingRequest("g", "all")
    pending.delivered([A, C])
    answers(pending, "ok", A)
    answers(pending, "not-serving", C)
    assert result_of(pending).complete


def test_a_request_to_all_members_counts_replies_that_arrive_before_the_own_request() -> None:
    pending = PendingRequest("g", "all")
    answers(pending, "ok", A)
    assert pending.result is None
    pending.delivered([A])
    assert result_of(pending).complete


def test_a_request_to_all_members_ends_at_once_without_other_members() -> None:
    pending = PendingRequest("g", "all")
    pending.delivered([])
    assert result_of(pending) == Replies((), (), (), (), timed_out=False, complete=True)


def test_a_request_to_all_members_lists_members_that_have_too_many_requests() -> None:
    pending = PendingRequest("g", "all")
    pending.delivered([A])
    answers(pending, "overloaded", A)
    assert result_of(pending) == Replies((), (), (A,), (), timed_out=False, complete=False)


def test_a_request_to_all_members_lists_missing_members_after_the_timeout() -> None:
    pending = PendingRequest("g", "all")
    pending.delivered([A, B])
    answers(pending, "ok", B)
    pending.time_out()
    result = result_of(pending)
    assert (result.missing, result.timed_out, result.complete) == ((A,), True, False)


def test_a_request_to_a_private_group_waits_for_one_reply() -> None:
    pending = PendingRequest(A, "all")
    answers(pending, "ok", A)
    result = result_of(pending)
    assert (senders_of(result), result.complete) == ([A], True)


def test_a_request_to_a_private_group_ends_when_the_member_disconnects() -> None:
    pending = PendingRequest(A, 1)
    pending.disconnected(B)
    pending.view({B})
    assert pending.result is None
    pending.disconnected(A)
    result = result_of(pending)
    assert (result.left, result.complete) == ((A,), False)
