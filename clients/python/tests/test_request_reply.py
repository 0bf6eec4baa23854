"""Requests and replies of the blocking API, over a real sidecar."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator

import pytest
from until import until

import spread_sidecar as s

Open = Callable[[str], s.RequestReply]


@pytest.fixture
def open_calls(target: str, no_thread_left: None) -> Iterator[Open]:
    """Opens objects, each over its own channel."""
    sidecars: list[s.SpreadSidecar] = []

    def open_one(name: str) -> s.RequestReply:
        sidecar = s.SpreadSidecar(target=target)
        sidecars.append(sidecar)
        return sidecar.open_request_reply(private_name=name)

    yield open_one
    for sidecar in sidecars:
        sidecar.close()


def upper(request: s.IncomingRequest) -> str:
    return request.text().upper()


def never(request: s.IncomingRequest) -> str:
    """Returns when the object of the service ends."""
    ended = threading.Event()
    request.cancel.on_cancel(ended.set)
    ended.wait()
    return ""


def texts(result: s.Replies) -> list[str]:
    return [reply.text() for reply in result.replies]


def test_a_request_gets_one_reply_by_default(open_calls: Open) -> None:
    client, server = open_calls("client"), open_calls("server")

    def handler(request: s.IncomingRequest) -> s.OutgoingReply:
        text = f"{request.text()} {request.sender} {request.group} {request.headers['name']} {request.message_type}"
        return s.OutgoingReply(text, {"content-type": "text/plain"})

    server.serve("g", handler)
    result = client.request("g", "hello", headers={"name": "x"}, message_type=7)
    (reply,) = result.replies
    assert result.complete
    assert (reply.sender, reply.headers["content-type"]) == (server.private_group, "text/plain")
    assert reply.text() == f"hello {client.private_group} g x 7"


def test_a_request_gets_the_replies_of_all_members_also_of_the_requester(open_calls: Open) -> None:
    calls = [open_calls(name) for name in "abc"]
    for one in calls:
        one.serve("g", upper)
    result = calls[0].request("g", "x", replies="all")
    assert sorted(reply.sender for reply in result.replies) == [one.private_group for one in calls]
    assert (texts(result), result.complete) == (["X"] * 3, True)


def test_a_request_does_not_wait_for_members_that_do_not_serve_the_group(open_calls: Open) -> None:
    client, other, server = open_calls("client"), open_calls("other"), open_calls("server")
    server.serve("g", upper)
    other.request("g", "joins the group", replies="all")
    result = client.request("g", "x", replies="all")
    assert (texts(result), result.missing, result.complete) == (["X"], (), True)


def test_a_request_reports_a_member_that_leaves_at_once(open_calls: Open) -> None:
    client, server, leaving = open_calls("client"), open_calls("b"), open_calls("leaving")
    asked = threading.Event()

    def handler(request: s.IncomingRequest) -> str:
        asked.set()
        return never(request)

    server.serve("g", upper)
    leaving.serve("g", handler)
    with ThreadPoolExecutor() as pool:
        requested = pool.submit(client.request, "g", "x", replies="all", timeout=60)
        assert asked.wait(10)
        leaving.close()
        result = requested.result(10)
    assert (texts(result), result.left, result.complete) == (["X"], (leaving.private_group,), False)
    assert not result.timed_out


def test_a_request_reports_members_that_do_not_reply_in_time(open_calls: Open) -> None:
    client, server = open_calls("client"), open_calls("server")
    server.serve("g", never)
    client.request("g", "joins the group", replies="all", timeout=0.3)
    result = client.request("g", "x", replies="all", timeout=0.3)
    assert result == s.Replies((), (), (), (server.private_group,), timed_out=True, complete=False)


def test_a_request_reports_the_failure_of_a_handler(open_calls: Open) -> None:
    client, server = open_calls("client"), open_calls("server")

    def handler(request: s.IncomingRequest) -> bytes:
        if request.payload == b"long":
            return bytes(200_000)
        raise ValueError("it failed")

    server.serve("g", handler)
    (reply,) = client.request("g", "x").replies
    assert (reply.error, reply.payload) == ("it failed", b"")
    (reply,) = client.request("g", "long").replies
    assert reply.error is not None and "143" in reply.error


def test_a_request_fails_if_it_is_too_long(open_calls: Open) -> None:
    client = open_calls("client")
    with pytest.raises(s.SpreadError) as caught:
        client.request("g", bytes(200_000))
    assert (caught.value.reason, caught.value.outcome) == ("MESSAGE_TOO_LONG", "not-sent")
    assert client.statistics.open == 0


def test_a_request_is_cancelled_from_another_thread(open_calls: Open) -> None:
    client = open_calls("client")
    cancel = s.Cancellation()
    with ThreadPoolExecutor() as pool:
        requested = pool.submit(client.request, "nobody", "x", cancel=cancel)
        until(lambda: client.statistics.open == 1, "an open request")
        cancel.cancel()
        error = requested.exception(10)
    assert isinstance(error, s.SpreadError)
    assert error.status == "CANCELLED"
    assert client.statistics.open == 0


def test_a_request_rejects_invalid_arguments(open_calls: Open) -> None:
    client = open_calls("client")
    with pytest.raises(s.SpreadError, match="replies must be a whole number"):
        client.request("g", "x", replies=0)
    with pytest.raises(s.SpreadError, match="timeout must be a number of seconds"):
        client.request("g", "x", timeout=0)


def test_a_request_to_a_private_group_reaches_this_member_only(open_calls: Open) -> None:
    client, first, second = open_calls("client"), open_calls("a"), open_calls("b")
    first.serve("g", upper)
    second.serve("g", upper)
    result = client.request(second.private_group, "x", replies="all")
    assert [(reply.sender, reply.text()) for reply in result.replies] == [(second.private_group, "X")]


def test_handlers_run_in_order_and_may_make_requests(open_calls: Open) -> None:
    client, front, back = open_calls("client"), open_calls("front"), open_calls("back")
    back.serve("g", upper)
    running: list[str] = []
    order: list[str] = []

    def handler(request: s.IncomingRequest) -> bytes:
        running.append(request.text())
        assert len(running) == 1
        reply = front.request("g", request.payload).replies[0]
        order.append(running.pop())
        return reply.payload

    front.serve("front", handler)
    with ThreadPoolExecutor(1) as pool:
        # The second request waits while the first one is handled.
        results = [pool.submit(client.request, "front", "p0"), client.request("front", "p1")]
        assert isinstance(results[1], s.Replies)
        assert texts(results[1]) == ["P1"]
    assert sorted(order) == ["p0", "p1"]


def test_a_service_rejects_requests_when_too_many_wait(open_calls: Open) -> None:
    client, server = open_calls("client"), open_calls("server")
    asked = threading.Semaphore(0)
    finish = threading.Semaphore(0)

    def handler(request: s.IncomingRequest) -> str:
        asked.release()
        assert finish.acquire(timeout=10)
        return "done"

    server.serve("g", handler, max_queued=0, concurrency=2)
    with ThreadPoolExecutor() as pool:
        accepted = [pool.submit(client.request, "g", "x", replies="all", timeout=10) for _ in range(2)]
        # Two handlers run at the same time.
        assert all(asked.acquire(timeout=10) for _ in range(2))
        result = client.request("g", "x", replies="all", timeout=10)
        assert (result.overloaded, result.complete) == ((server.private_group,), False)
        finish.release(2)
        assert [texts(one.result(10)) for one in accepted] == [["done"], ["done"]]


def test_a_service_leaves_the_group_when_it_stops(open_calls: Open) -> None:
    client, server = open_calls("client"), open_calls("server")
    service = server.serve("g", upper)
    assert client.request("g", "x", replies="all").complete
    service.stop()
    service.stop()
    result = client.request("g", "x", replies="all", timeout=10)
    assert result == s.Replies((), (), (), (), timed_out=False, complete=True)
    server.serve("g", upper)
    assert texts(client.request("g", "again", replies="all")) == ["AGAIN"]


def test_other_events_are_passed_on(target: str, open_calls: Open) -> None:
    kinds: list[str] = []
    with s.SpreadSidecar(target=target) as sidecar:
        with sidecar.open_request_reply(on_event=lambda event: kinds.append(event.kind)) as calls:
            calls.serve("g", upper)
            other = sidecar.connect()
            other.multicast(s.AGREED_MESS, "g", "not a request")
            until(lambda: len(kinds) == 2, "two events")
    assert kinds == ["view", "regular"]


def test_the_end_of_the_mailbox_ends_open_requests_and_all_later_ones(open_calls: Open) -> None:
    client = open_calls("client")
    with ThreadPoolExecutor() as pool:
        requested = pool.submit(client.request, "nobody", "x")
        until(lambda: client.statistics.open == 1, "an open request")
        client.close()
        error = requested.exception(10)
    assert isinstance(error, s.SpreadError)
    assert (error.code, error.outcome) == ("ILLEGAL_SESSION", "unknown")
    with pytest.raises(s.SpreadError) as caught:
        client.request("nobody", "x")
    assert (caught.value.code, caught.value.outcome) == ("ILLEGAL_SESSION", "not-sent")


def test_the_object_sets_some_options_of_the_mailbox(target: str) -> None:
    with s.SpreadSidecar(target=target) as sidecar:
        with pytest.raises(TypeError, match="unexpected keyword argument 'membership'"):
            sidecar.open_request_reply(membership=False)
