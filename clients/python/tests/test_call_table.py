"""Requests and services of one mailbox, without I/O."""

from __future__ import annotations

from typing import Mapping, Optional

import pytest

import spread_sidecar as s
from spread_sidecar._core.request_reply.answers import error_text, to_answer
from spread_sidecar._core.request_reply.call_table import CallTable, Outcome, Service, check_wanted
from spread_sidecar._core.request_reply.service_queue import ServiceQueue
from spread_sidecar._core.requests import to_mailbox_options

ME, OTHER = "#me#n", "#other#n"


class Calls:
    """A table that records what it decides."""

    def __init__(self) -> None:
        self.rejected: list[str] = []
        self.queued: list[str] = []
        self.outcomes: list[Outcome] = []
        self.table: CallTable[None] = CallTable(
            lambda: ME,
            lambda message, status: self.rejected.append(status),
            lambda service: self.queued.append(service.group),
        )

    def request(self, target: str = "g", wanted: s.WantedReplies = 1) -> str:
        return self.table.open_request(target, wanted, self.outcomes.append)

    def receive(self, sender: str, group: str, headers: Mapping[str, str]) -> bool:
        message = s.RegularMessage(
            1, 0, sender, (group,), s.AGREED_MESS, 0, b"x", False, 0, s.MessageHeaders(headers)
        )
        return self.table.received(message)

    def receive_reply(self, request_id: str, sender: str = OTHER, status: Optional[str] = None) -> bool:
        more = {} if status is None else {"reply-status": status}
        return self.receive(sender, ME, {"correlation-id": request_id, **more})

    def receive_request(self, group: str, sender: str = OTHER, request_id: str = "1") -> bool:
        return self.receive(sender, group, {"correlation-id": request_id, "reply-to": sender})

    def view(self, group: str, *members: str, cause: s.MembershipCause = "JOIN", changed: str = OTHER) -> None:
        view = s.ViewMessage(1, 0, group, s.GroupId(1, 2, 3), cause, members, 0, (changed,), ())
        assert not self.table.received(view)

    def serve(self, group: str, concurrency: int = 1, max_queued: int = 1) -> Service[None]:
        service = Service(group, None, concurrency, max_queued)
        self.table.add_service(service)
        return service

    @property
    def result(self) -> s.Replies:
        (outcome,) = self.outcomes
        assert isinstance(outcome, s.Replies)
        return outcome

    @property
    def error(self) -> s.SpreadError:
        (outcome,) = self.outcomes
        assert isinstance(outcome, s.SpreadError)
        return outcome


def test_late_and_second_replies_are_counted() -> None:
    calls = Calls()
    request_id = calls.request(wanted=2)
    assert [calls.receive_reply(request_id) for _ in range(2)] == [True, True]
    assert calls.table.statistics == s.RequestStatistics(open=1, late_replies=0, duplicate_replies=1)
    calls.table.time_out(request_id)
    assert len(calls.result.replies) == 1
    calls.receive_reply(request_id)
    assert calls.table.statistics == s.RequestStatistics(open=0, late_replies=1, duplicate_replies=1)


def test_messages_that_are_neither_requests_nor_replies_are_not_calls() -> None:
    calls = Calls()
    assert not calls.receive(OTHER, "g", {})
    assert not calls.receive(OTHER, ME, {"correlation-id": "the ID of another object"})


def test_a_failed_handler_gives_a_reply_with_an_error() -> None:
    calls = Calls()
    calls.receive_reply(calls.request(), status="error")
    (reply,) = calls.result.replies
    assert (reply.error, reply.payload) == ("x", b"")


def test_the_view_in_which_the_own_request_arrives_has_the_members_that_must_answer() -> None:
    calls = Calls()
    calls.view("g", ME, OTHER)
    request_id = calls.request(wanted="all")
    calls.receive_request("g", ME, request_id)
    # The members of later views did not get the request.
    calls.view("g", ME, OTHER, "#third#n", changed="#third#n")
    calls.receive_reply(request_id)
    assert calls.result.complete
    assert calls.rejected == []


def test_a_requester_that_serves_the_group_must_answer_too() -> None:
    calls = Calls()
    calls.serve("g")
    calls.view("g", ME, changed=ME)
    request_id = calls.request(wanted="all")
    calls.receive_request("g", ME, request_id)
    assert calls.outcomes == []
    calls.receive_reply(request_id, ME)
    assert [reply.sender for reply in calls.result.replies] == [ME]


def test_a_view_of_a_common_group_ends_a_request_to_a_private_group() -> None:
    calls = Calls()
    calls.request(OTHER)
    calls.view("h", ME, cause="LEAVE")
    assert calls.outcomes == []
    calls.view("h", ME, cause="DISCONNECT")
    assert calls.result.left == (OTHER,)


def test_new_members_of_a_network_view_have_not_disconnected() -> None:
    calls = Calls()
    calls.request(OTHER)
    calls.view("h", ME, OTHER, cause="NETWORK")
    assert calls.outcomes == []
    calls.view("h", ME, cause="NETWORK")
    assert calls.result.left == (OTHER,)


def test_a_lost_daemon_connection_fails_open_requests() -> None:
    calls = Calls()
    calls.request()
    calls.table.received(s.ConnectionLost(1, 0, ME, ("g",), -8))
    assert (calls.error.status, calls.error.outcome) == ("UNAVAILABLE", "unknown")
    assert calls.table.statistics.open == 0


def test_a_request_without_a_service_is_rejected() -> None:
    calls = Calls()
    calls.receive_request("g")
    calls.receive_request(ME)
    assert calls.rejected == ["not-serving", "not-serving"]


def test_a_service_rejects_requests_when_too_many_wait() -> None:
    calls = Calls()
    service = calls.serve("g", concurrency=1, max_queued=1)
    for _ in range(3):
        calls.receive_request("g")
    assert (calls.queued, calls.rejected) == (["g", "g"], ["overloaded"])
    assert service.queue.start_next() is not None
    assert service.queue.start_next() is None


def test_a_request_to_the_private_group_goes_to_the_oldest_service() -> None:
    calls = Calls()
    first = calls.serve("first")
    calls.serve("second")
    calls.receive_request(ME)
    assert calls.queued == ["first"]
    assert calls.table.remove_service(first) is not None
    calls.receive_request(ME)
    assert calls.queued == ["first", "second"]


def test_a_group_has_one_service() -> None:
    calls = Calls()
    service = calls.serve("g")
    with pytest.raises(s.SpreadError, match="group must be a group that this object does not serve"):
        calls.serve("g")
    assert calls.table.remove_service(service) == []
    assert calls.table.remove_service(service) is None
    calls.serve("g")


def test_at_most_10_000_requests_are_open() -> None:
    calls = Calls()
    for _ in range(10_000):
        calls.request()
    with pytest.raises(s.SpreadError) as caught:
        calls.request()
    assert (caught.value.reason, caught.value.metadata["bound"]) == ("TOO_MANY_CALLS", "10000")
    assert caught.value.outcome == "not-sent"


def test_the_end_of_the_mailbox_ends_requests_and_services() -> None:
    calls = Calls()
    calls.request()
    service = calls.serve("g")
    end = s.SpreadError("it ended", status="ABORTED", reason="LEASE_EXPIRED")
    calls.table.end_with(end)
    assert (calls.error.reason, calls.error.outcome) == ("LEASE_EXPIRED", "unknown")
    assert service.queue.stopped
    with pytest.raises(s.SpreadError, match="it ended"):
        calls.request()
    with pytest.raises(s.SpreadError, match="it ended"):
        calls.serve("h")


@pytest.mark.parametrize("wanted", [0, -1, 1.5, True, "some", None])
def test_a_request_rejects_an_invalid_number_of_replies(wanted: object) -> None:
    with pytest.raises(s.SpreadError, match="replies must be a whole number, 1 or more, or 'all'"):
        check_wanted(wanted)


@pytest.mark.parametrize(("concurrency", "max_queued", "field"), [(0, 0, "concurrency"), (1, -1, "max_queued")])
def test_a_service_rejects_invalid_bounds(concurrency: int, max_queued: int, field: str) -> None:
    with pytest.raises(s.SpreadError, match=f"{field} must be a whole number"):
        Service("g", None, concurrency, max_queued)


def test_a_queue_runs_requests_in_order_up_to_its_concurrency() -> None:
    queue: ServiceQueue[str] = ServiceQueue(2, 2)
    assert [queue.add(name) for name in "abcde"] == [True, True, True, True, False]
    assert [queue.start_next() for _ in range(3)] == ["a", "b", None]
    queue.finished()
    assert queue.start_next() == "c"
    assert queue.stop() == ["d"]
    queue.finished()
    assert queue.start_next() is None


def a_request() -> s.RegularMessage:
    headers = s.MessageHeaders({"correlation-id": "1", "reply-to": OTHER})
    return s.RegularMessage(1, 0, OTHER, ("g",), s.AGREED_MESS, 0, b"x", False, 0, headers)


def test_a_reply_repeats_the_correlation_id_and_has_no_reply_to() -> None:
    given = {"a": "b", "reply-to": "x", "reply-status": "x", "correlation-id": "x"}
    answer = to_answer(a_request(), s.OutgoingReply("y", given))
    assert answer == (OTHER, "y", {"a": "b", "correlation-id": "1"})


def test_a_handler_must_return_a_reply() -> None:
    with pytest.raises(TypeError, match="a handler must return bytes, str or OutgoingReply, not NoneType"):
        to_answer(a_request(), None)


def test_the_message_of_an_error_has_at_most_1000_bytes() -> None:
    assert error_text(ValueError("x" + "ä" * 1000)) == "x" + "ä" * 499
    assert error_text(ValueError()) == "ValueError"
    assert error_text(s.SpreadError("it failed", status="INTERNAL")) == "it failed"


def test_the_mailbox_ends_with_its_connection_by_default() -> None:
    assert to_mailbox_options({}) == {"end_with_connection": True, "membership": True}
    given: s.RequestReplyOptions = {"end_with_connection": False, "private_name": "a", "on_event": print}
    assert to_mailbox_options(given) == {"end_with_connection": False, "private_name": "a", "membership": True}
