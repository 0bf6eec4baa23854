"""The sender over a real gRPC connection."""

from __future__ import annotations

import threading
import time
from typing import Any, Iterator

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort
from until import until

import spread_sidecar as s
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb


@pytest.fixture
def mailbox(fake: FakeSidecar, no_thread_left: None) -> Iterator[s.Mailbox]:
    with s.connect(target=fake.target) as mailbox:
        yield mailbox


def test_sends_in_order_in_few_frames(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    frames: list[pb.MulticastBatch] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        assert next(requests).open.mailbox_id == "m" * 32
        decided = 0
        for request in requests:
            frames.append(request.batch)
            decided += len(request.batch.messages)
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    fake.on_stream = stream
    with mailbox.sender() as sender:
        for number in range(5000):
            sender.send(s.SAFE_MESS, ("a", "b"), str(number), -number, self_discard=number % 2 == 0)
        assert sender.flush() == s.SenderProgress(5000, 5000, 5000)
    assert sender.closed
    messages = [message for frame in frames for message in frame.messages]
    assert [message.payload for message in messages] == [str(number).encode() for number in range(5000)]
    assert {tuple(message.groups) for message in messages} == {("a", "b")}
    assert [message.message_type for message in messages[:3]] == [0, -1, -2]
    assert [message.self_discard for message in messages[:2]] == [True, False]
    assert len(frames) < 500
    assert max(len(frame.messages) for frame in frames) <= 1024


def test_requests_the_responses_that_it_waits_for(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    requests_of_responses: list[int] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        opening = next(requests).open
        assert (opening.mailbox_id, opening.responds_on_request) == ("m" * 32, True)
        decided = 0
        for request in requests:
            decided += len(request.batch.messages)
            if request.batch.respond:
                requests_of_responses.append(decided)
                yield pb.MulticastStreamResponse(decided=decided, accepted=decided)
        yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    fake.on_stream = stream
    sender = mailbox.sender(max_in_flight_messages=100)
    for _ in range(3):
        sender.send(s.FIFO_MESS, "g", b"")
    assert sender.flush(timeout=10) == s.SenderProgress(3, 3, 3)
    assert requests_of_responses[-1] == 3
    # Everything is decided: nothing to wait for, and no frame.
    sender.flush(timeout=10)
    assert requests_of_responses[-1] == 3
    # The limit of messages in flight needs no flush.
    for _ in range(1000):
        sender.send(s.FIFO_MESS, "g", b"", timeout=10)
    sender.send(s.FIFO_MESS, "g", b"")
    assert sender.close(timeout=10) == s.SenderProgress(1004, 1004, 1004)


def test_a_flush_of_written_messages_writes_an_empty_frame(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    frames: list[tuple[int, bool]] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        for request in requests:
            frames.append((len(request.batch.messages), request.batch.respond))
            if request.batch.respond:
                yield pb.MulticastStreamResponse(decided=1, accepted=1)

    fake.on_stream = stream
    with mailbox.sender() as sender:
        sender.send(s.FIFO_MESS, "g", b"")
        until(lambda: frames, "the message is written")
        sender.flush(timeout=10)
    assert frames == [(1, False), (0, True)]


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ((3,), "decides 3 messages, but the client has written 2"),
        ((2, 1), "decides 1 messages after a response that decided 2"),
    ],
)
def test_a_response_that_violates_the_contract_ends_the_sender(
    fake: FakeSidecar, mailbox: s.Mailbox, responses: tuple[int, ...], problem: str
) -> None:
    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        written = 0
        while written < 2:
            written += len(next(requests).batch.messages)
        for decided in responses:
            yield pb.MulticastStreamResponse(decided=decided)
        fake.idle(context)

    fake.on_stream = stream
    sender = mailbox.sender()
    sender.send(s.FIFO_MESS, "g", b"")
    sender.send(s.FIFO_MESS, "g", b"")
    with pytest.raises(s.SpreadError) as caught:
        sender.close(timeout=10)
    assert (caught.value.status, caught.value.outcome) == ("INTERNAL", "unknown")
    assert caught.value.message == f"the response of MulticastStream {problem}"
    with pytest.raises(s.SpreadError) as caught:
        sender.send(s.FIFO_MESS, "g", b"")
    assert caught.value.status == "INTERNAL"


def test_waits_for_room_and_can_be_cancelled(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    answer = threading.Event()

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        decided = 0
        for request in requests:
            decided += len(request.batch.messages)
            if decided:
                answer.wait(10)
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    fake.on_stream = stream
    sender = mailbox.sender(max_in_flight_messages=2)
    sender.send(s.FIFO_MESS, "g", b"1")
    sender.send(s.FIFO_MESS, "g", b"2")
    with pytest.raises(s.SpreadError) as caught:
        sender.send(s.FIFO_MESS, "g", b"3", timeout=0.05)
    assert caught.value.status == "DEADLINE_EXCEEDED"
    cancellation = s.Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    with pytest.raises(s.SpreadError) as caught:
        sender.send(s.FIFO_MESS, "g", b"3", cancel=cancellation)
    assert caught.value.status == "CANCELLED"
    assert [message.payload for message in sender.undecided] == [b"1", b"2"]
    threading.Timer(0.05, answer.set).start()
    sender.send(s.FIFO_MESS, "g", b"3", timeout=10)
    assert sender.close() == s.SenderProgress(3, 3, 3)


def test_rejected_messages_are_raised_by_flush_or_passed_to_the_listener(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        decided = 0
        for request in requests:
            first, decided = decided + 1, decided + len(request.batch.messages)
            refusals = [
                pb.MulticastRefusal(
                    index=index,
                    status_code=3,
                    status_message="no",
                    reason="ILLEGAL_GROUP",
                    domain="spread.org",
                    metadata={"field": "groups[0]"},
                )
                for index in range(first, decided + 1)
            ]
            yield pb.MulticastStreamResponse(decided=decided, refusals=refusals)

    fake.on_stream = stream
    sender = mailbox.sender()
    for _ in range(150):
        sender.send(s.FIFO_MESS, "g", b"")
    with pytest.raises(s.MessagesRefused) as caught:
        sender.flush()
    assert (caught.value.count, len(caught.value.errors), caught.value.code) == (150, 100, "ILLEGAL_GROUP")
    error = caught.value.errors[1]
    assert (error.number, error.outcome, error.retryable) == (-14, "not-sent", False)
    assert error.metadata == {"field": "groups[0]", "index": "2"}
    assert sender.close() == s.SenderProgress(150, 150, 0)

    refusals: list[s.Refusal] = []
    with mailbox.sender(on_refused=refusals.append) as sender:
        sender.send(s.FIFO_MESS, "g", b"")
        sender.flush()
        assert [refusal.index for refusal in refusals] == [1]


@pytest.mark.parametrize(("metadata", "outcome"), [({}, "unknown"), ({"outcome": "not-sent"}, "not-sent")])
def test_a_broken_stream_is_not_replaced(
    fake: FakeSidecar, mailbox: s.Mailbox, metadata: dict[str, str], outcome: str
) -> None:
    streams = 0

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        nonlocal streams
        streams += 1
        next(requests)
        next(requests)
        yield pb.MulticastStreamResponse(decided=1, accepted=1)
        next(requests)
        abort(context, grpc.StatusCode.UNAVAILABLE, "CONNECTION_CLOSED", domain="spread.org", **metadata)

    fake.on_stream = stream
    sender = mailbox.sender()
    sender.send(s.FIFO_MESS, "g", b"1")
    sender.flush()
    sender.send(s.FIFO_MESS, "g", b"2", 5)
    sender.send(s.FIFO_MESS, "h", b"3")
    for call in (sender.flush, sender.close, lambda: sender.send(s.FIFO_MESS, "g", b"4")):
        with pytest.raises(s.SpreadError) as caught:
            call()
        assert (caught.value.code, caught.value.outcome) == ("CONNECTION_CLOSED", outcome)
    assert sender.undecided == [
        s.OutgoingMessage(s.FIFO_MESS, ("g",), b"2", 5, False),
        s.OutgoingMessage(s.FIFO_MESS, ("h",), b"3", 0, False),
    ]
    assert streams == 1


def test_disconnect_aborts_its_senders(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        yield pb.MulticastStreamResponse()
        while context.is_active():
            time.sleep(0.01)

    fake.on_stream = stream
    sender = mailbox.sender()
    sender.send(s.FIFO_MESS, "g", b"1")
    mailbox.disconnect()
    assert sender.closed
    for call in (sender.flush, sender.close):
        with pytest.raises(s.SpreadError) as caught:
            call()
        assert (caught.value.status, caught.value.outcome) == ("CANCELLED", "unknown")


def test_a_closed_sender_sends_nothing(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    sender = mailbox.sender()
    assert sender.close() == s.SenderProgress(0, 0, 0)
    assert sender.close() == s.SenderProgress(0, 0, 0)
    with pytest.raises(s.SpreadError) as caught:
        sender.send(s.FIFO_MESS, "g", b"")
    assert (caught.value.status, caught.value.outcome) == ("FAILED_PRECONDITION", "not-sent")


def test_several_threads_may_send(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    def send(group: str) -> None:
        for _ in range(2000):
            sender.send(s.FIFO_MESS, group, group)

    wrong: list[Any] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        decided = 0
        for request in requests:
            wrong.extend(m for m in request.batch.messages if m.groups[0].encode() != m.payload)
            decided += len(request.batch.messages)
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    fake.on_stream = stream
    sender = mailbox.sender()
    threads = [threading.Thread(target=send, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sender.close().accepted == 6000
    assert wrong == []


def test_leaving_with_an_error_aborts(fake: FakeSidecar, mailbox: s.Mailbox) -> None:
    with pytest.raises(ValueError), mailbox.sender() as sender:
        raise ValueError("of the application")
    assert sender.closed
    until(lambda: not any("sender" in thread.name for thread in threading.enumerate()), "its thread has ended")


def test_rejects_what_the_contract_cannot_represent(mailbox: s.Mailbox) -> None:
    sender = mailbox.sender()
    with pytest.raises(s.SpreadError) as caught:
        sender.send(0, "g", b"")
    assert (caught.value.code, caught.value.outcome) == ("ILLEGAL_SERVICE", "not-sent")
    with pytest.raises(s.SpreadError) as caught:
        sender.send(s.FIFO_MESS, "g", b"", 1 << 31)
    assert caught.value.code == "ILLEGAL_MESSAGE"
    with pytest.raises(TypeError):
        sender.send(s.FIFO_MESS, "g", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        mailbox.sender(max_batch=5)  # type: ignore[call-arg]
