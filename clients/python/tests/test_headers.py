"""Message headers, with a fake sidecar."""

from __future__ import annotations

import asyncio
import copy
import pickle
import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort, attached

import spread
import spread_sidecar as s
from spread_sidecar import aio
from spread_sidecar._core.batch_encoder import encode_batch
from spread_sidecar._core.from_event import decode_batch
from spread_sidecar._core.outgoing import to_multicast_message, to_outgoing
from spread_sidecar._core.rules.send_window import SendWindow
from spread_sidecar.gen.spread.sidecar.v1 import event_pb2
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb
from spread_sidecar.headers import NO_HEADERS

HEADERS = {"content-type": "text/plain", "empty": "", "text": "Gr\xfc\xdfe \U0001f642\n\0"}


def messages_of(*headers: dict[str, str]) -> pb.EventBatch:
    events = [
        event_pb2.Event(
            sequence=number,
            regular_message=event_pb2.RegularMessage(sender="#a#b", groups=["g"], payload=b"x", headers=one),
        )
        for number, one in enumerate(headers, 1)
    ]
    return pb.EventBatch(events=events)


def test_frames_with_headers_have_the_meaning_of_the_generated_encoder() -> None:
    draw = random.Random(1)
    choices: list[Any] = [None, {}, {"a": ""}, {"a": "b"}, HEADERS, {"n": "v" * 8188}]
    for _ in range(100):
        messages = [
            to_outgoing(
                draw.choice([s.FIFO_MESS, s.SAFE_MESS]),
                ("g",) * draw.randint(0, 2),
                bytes(draw.choice([0, 1, 128])),
                draw.choice([0, -7]),
                draw.random() < 0.5,
                draw.choice(choices),
            )
            for _ in range(draw.randint(1, 6))
        ]
        batch = pb.MulticastBatch(messages=[to_multicast_message(message) for message in messages])
        assert pb.MulticastStreamRequest.FromString(encode_batch(messages, False)).batch == batch


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"\ud800": "x"}, "headers"),
        ({1: "x"}, "headers"),
        ({"a": "\ud800"}, 'headers["a"]'),
        ({'a"b': b"x"}, 'headers["a\\"b"]'),
        ({"a": None}, 'headers["a"]'),
    ],
)
def test_headers_that_are_not_text_are_rejected_in_the_client(headers: Any, field: str) -> None:
    with pytest.raises(s.SpreadError) as caught:
        to_outgoing(s.SAFE_MESS, ("g",), b"", 0, False, headers)
    error = caught.value
    assert (error.status, error.reason, error.outcome) == ("INVALID_ARGUMENT", "FIELD_INVALID", "not-sent")
    assert error.metadata["field"] == field


@pytest.mark.parametrize("headers", ["a", [("a", "b")], 1, []])
def test_headers_must_be_a_mapping(headers: Any) -> None:
    with pytest.raises(TypeError, match="headers must be a mapping"):
        to_outgoing(s.SAFE_MESS, ("g",), b"", 0, False, headers)


def test_headers_count_in_the_bytes_in_flight() -> None:
    window = SendWindow(10_000, 16_000, 6_000)
    message = to_outgoing(s.SAFE_MESS, ("g",), b"", 0, False, {"n": "v" * 7000})
    window.add(message)
    window.add(message)
    assert not window.full
    window.add(message)
    assert window.full
    frames = [window.next_frame() for _ in range(4)]
    assert [frame and len(frame.messages) for frame in frames] == [1, 1, 1, None]
    window.answered(pb.MulticastStreamResponse(decided=1, accepted=1))
    assert not window.full


def test_received_headers() -> None:
    with_headers, without = decode_batch(messages_of(HEADERS, {}), 0).events
    assert isinstance(with_headers, s.RegularMessage)
    assert isinstance(without, s.RegularMessage)
    assert with_headers.headers == HEADERS
    assert (with_headers.headers["empty"], with_headers.headers.get("absent")) == ("", None)
    assert without.headers == {} and without.headers is NO_HEADERS
    assert with_headers._weight > without._weight


def test_a_rejected_message_has_headers() -> None:
    rejected = event_pb2.RejectedMessage(sender="#a#b", groups=["g"], payload=b"x", headers=HEADERS)
    events = [
        event_pb2.Event(sequence=1, rejected_message=rejected),
        event_pb2.Event(sequence=2, rejected_message=event_pb2.RejectedMessage()),
    ]
    first, second = decode_batch(pb.EventBatch(events=events), 0).events
    assert isinstance(first, s.RejectedMessage)
    assert isinstance(second, s.RejectedMessage)
    assert first.headers == HEADERS
    assert second.headers == {}


def test_message_headers_are_immutable_and_can_be_copied() -> None:
    given = {"a": "b"}
    headers = s.MessageHeaders(given)
    given["a"] = "c"
    assert (headers["a"], repr(headers)) == ("b", "MessageHeaders({'a': 'b'})")
    with pytest.raises(TypeError):
        headers["a"] = "c"  # type: ignore[index]
    assert hash(headers) == hash(s.MessageHeaders({"a": "b"}))
    (event,) = decode_batch(messages_of({"a": "b"}), 0).events
    assert isinstance(event, s.RegularMessage)
    for clone in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event)):
        assert clone.headers == headers


def test_calls_and_senders_send_headers(fake: FakeSidecar) -> None:
    multicasts = record(fake)
    given = dict(HEADERS)
    with s.connect(target=fake.target) as mailbox:
        mailbox.multicast(s.SAFE_MESS, "g", b"1", headers=HEADERS)
        mailbox.multigroup_multicast(s.SAFE_MESS, ["g", "h"], b"2", headers={})
        with mailbox.sender() as sender:
            sender.send(s.SAFE_MESS, "g", b"3", headers=given)
            # The application may reuse its dictionary.
            given.clear()
            sender.send(s.SAFE_MESS, "g", b"4")
    assert multicasts == [(b"1", HEADERS), (b"2", {}), (b"3", HEADERS), (b"4", {})]


def test_asyncio_calls_and_senders_send_headers(fake: FakeSidecar) -> None:
    multicasts = record(fake)

    async def main() -> None:
        async with aio.connect(target=fake.target) as mailbox:
            await mailbox.multicast(s.SAFE_MESS, "g", b"1", headers=HEADERS)
            await mailbox.multigroup_multicast(s.SAFE_MESS, ["g", "h"], b"2", headers={})
            async with mailbox.sender() as sender:
                await sender.send(s.SAFE_MESS, "g", b"3", headers=HEADERS)
                await sender.send(s.SAFE_MESS, "g", b"4")

    asyncio.run(main())
    assert multicasts == [(b"1", HEADERS), (b"2", {}), (b"3", HEADERS), (b"4", {})]


def test_undecided_messages_keep_their_headers(fake: FakeSidecar) -> None:
    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        next(requests)
        yield pb.MulticastStreamResponse()
        abort(context, grpc.StatusCode.UNAVAILABLE, "")

    fake.on_stream = stream
    with s.connect(target=fake.target) as mailbox:
        sender = mailbox.sender()
        sender.send(s.SAFE_MESS, "g", b"1", headers=HEADERS)
        with pytest.raises(s.SpreadError):
            sender.flush()
        assert [message.headers for message in sender.undecided] == [HEADERS]
        assert sender.undecided == [s.OutgoingMessage(s.SAFE_MESS, ("g",), b"1", 0, False, s.MessageHeaders(HEADERS))]


def test_the_drop_in_module_sends_headers_in_order(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    multicasts = record(fake)
    mailbox = spread.connect()
    assert mailbox.multicast(spread.SAFE_MESS, "g", "1") == 1
    assert mailbox.multicast(spread.SAFE_MESS, "g", "two", 2, headers=HEADERS) == 3
    assert mailbox.multigroup_multicast(spread.SAFE_MESS, ("g", "h"), "3", headers=HEADERS) == 1
    assert mailbox.multicast(spread.SAFE_MESS, "g", "4", headers={}) == 1
    mailbox.disconnect()
    assert multicasts == [(b"1", {}), (b"two", HEADERS), (b"3", HEADERS), (b"4", {})]


def test_the_drop_in_module_reports_rejected_headers(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [fake.quiet]
    fake.on_multicast = lambda context: abort(context, grpc.StatusCode.INVALID_ARGUMENT, "HEADER_NAME_INVALID")
    mailbox = spread.connect()
    with pytest.raises(spread.SpreadError) as caught:
        mailbox.multicast(spread.SAFE_MESS, "g", "x", headers={"A": "b"})
    assert caught.value.sidecar_error is not None
    assert caught.value.sidecar_error.reason == "HEADER_NAME_INVALID"
    # The mailbox stays open.
    assert mailbox.multicast(spread.SAFE_MESS, "g", "x") == 1
    mailbox.disconnect()


def test_the_drop_in_module_receives_headers(fake: FakeSidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(request: Any, context: Any) -> Iterator[Any]:
        yield attached(1)
        yield pb.ReceiveResponse(batch=messages_of(HEADERS, {}))
        fake.idle(context)

    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", fake.target)
    fake.scripts = [script]
    mailbox = spread.connect()
    first, second = mailbox.receive(), mailbox.receive()
    assert isinstance(first, spread.RegularMsgType)
    assert isinstance(second, spread.RegularMsgType)
    assert first.headers == HEADERS
    assert second.headers == {}
    mailbox.disconnect()


def record(fake: FakeSidecar) -> list[tuple[bytes, dict[str, str]]]:
    """Payloads and headers of all messages, in the order of their arrival."""
    arrived: list[tuple[bytes, dict[str, str]]] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        decided = 0
        for request in requests:
            arrived.extend((message.payload, dict(message.headers)) for message in request.batch.messages)
            decided += len(request.batch.messages)
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    fake.on_stream = stream
    fake.on_message = lambda message: arrived.append((message.payload, dict(message.headers)))
    return arrived
