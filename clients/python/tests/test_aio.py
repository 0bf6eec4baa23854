"""The asyncio API over a real gRPC connection. The tests of the blocking API cover the common rules."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, Awaitable, Callable, Iterator

import grpc
import pytest
from fake_sidecar import FakeSidecar, abort, attached, batch, heartbeat
from until import until_async

import spread_sidecar as s
from spread_sidecar import aio
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb

Test = Callable[[aio.SpreadSidecar], Awaitable[None]]


@pytest.fixture
def run(fake: FakeSidecar) -> Callable[[Test], None]:
    """Runs a test with a channel, and checks that it leaves no task."""

    async def within(test: Test) -> None:
        before = asyncio.all_tasks()
        async with aio.SpreadSidecar(target=fake.target) as sidecar:
            await test(sidecar)
        left = asyncio.all_tasks() - before
        # Tasks of gRPC end in the next turns of the loop.
        deadline = time.monotonic() + 5
        while left and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
            left = {task for task in left if not task.done()}
        assert not left

    return lambda test: asyncio.run(asyncio.wait_for(within(test), 30))


async def refused(awaitable: Awaitable[object]) -> s.SpreadError:
    with pytest.raises(s.SpreadError) as caught:
        await awaitable
    return caught.value


def test_resumes_after_the_last_event_of_a_broken_stream(fake: FakeSidecar, run: Any) -> None:
    def breaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 2)
        time.sleep(0.2)
        abort(context, grpc.StatusCode.UNAVAILABLE, "")

    def goes_on(request: Any, context: Any) -> Any:
        yield attached(request.after_sequence + 1)
        yield batch(*range(request.after_sequence, 4))
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        notices: list[s.Notice] = []
        mailbox = await sidecar.connect(on_notice=notices.append)
        assert [(await mailbox.receive(10)).sequence for _ in range(3)] == [1, 2, 3]
        assert [notice.kind for notice in notices] == ["attached", "detached", "attached"]

    fake.scripts = [breaks, goes_on]
    run(test)


def test_fetches_events_that_an_end_with_an_error_swallowed(fake: FakeSidecar, run: Any) -> None:
    def ends(request: Any, context: Any) -> Any:
        yield attached(request.after_sequence + 1)
        if request.after_sequence < 5:
            yield batch(request.after_sequence + 1)
        abort(context, grpc.StatusCode.ABORTED, "LEASE_EXPIRED", last_sequence="5")

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        seen = []
        with pytest.raises(s.SpreadError) as caught:
            async for event in mailbox:
                seen.append(event.sequence)
        assert caught.value.reason == "LEASE_EXPIRED"
        # Received events are in order, and the error reports missing ones.
        assert seen == list(range(1, len(seen) + 1))
        assert caught.value.metadata.get("received_sequence", "5") == str(len(seen))

    fake.scripts = [ends]
    run(test)


def test_a_silent_stream_counts_as_broken(fake: FakeSidecar, run: Any) -> None:
    def is_silent(request: Any, context: Any) -> Any:
        yield attached(1)
        fake.idle(context)

    def speaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        while context.is_active():
            yield heartbeat(1)
            time.sleep(0.1)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect(heartbeat_interval=0.1)
        assert (await mailbox.receive(10)).sequence == 1

    fake.scripts = [is_silent, speaks]
    run(test)


def test_an_attempt_to_attach_without_a_frame_counts_as_broken(fake: FakeSidecar, run: Any) -> None:
    def is_silent(request: Any, context: Any) -> Any:
        fake.idle(context)
        yield

    def speaks(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect(heartbeat_interval=0.1)
        assert (await mailbox.receive(10)).sequence == 1

    fake.scripts = [is_silent, speaks]
    run(test)


def test_a_cancelled_receive_loses_no_event(fake: FakeSidecar, run: Any) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        for sequence in range(1, 201):
            yield batch(sequence)
            time.sleep(0.001)
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        seen: list[int] = []

        async def take() -> None:
            while True:
                seen.append((await mailbox.receive()).sequence)

        while len(seen) < 200:
            tasks = [asyncio.create_task(take()) for _ in range(2)]
            await asyncio.sleep(0.005)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert seen == list(range(1, 201))
        error = await refused(mailbox.receive(0.05))
        assert error.status == "DEADLINE_EXCEEDED"

    fake.scripts = [gives]
    run(test)


def test_a_full_inbox_stops_reading_from_the_connection(fake: FakeSidecar, run: Any) -> None:
    given = 0

    def floods(request: Any, context: Any) -> Any:
        nonlocal given
        yield attached(1)
        for sequence in range(1, 400):
            yield batch(sequence, payload=b"x" * 100_000)
            given = sequence
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect(max_buffered_bytes=1_000_000)
        assert (await mailbox.receive(10)).sequence == 1
        await until_async(lambda: mailbox._receiver._rules._paused, "it pauses")
        before = -1
        while before != given:
            before = given
            await asyncio.sleep(0.2)
        assert given < 200
        assert [(await mailbox.receive(10)).sequence for _ in range(398)] == list(range(2, 400))

    fake.scripts = [floods]
    run(test)


def test_acknowledges_and_keeps_the_lease(fake: FakeSidecar, run: Any) -> None:
    def gives(request: Any, context: Any) -> Any:
        yield attached(1)
        yield batch(1, 2)
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        idle = await sidecar.connect()
        mailbox = await sidecar.connect()
        await mailbox.receive(10)
        await mailbox.receive(10)
        await until_async(lambda: fake.acknowledged == [1], "the first is acknowledged")
        await until_async(lambda: fake.polls >= 2, "it polls")
        assert await idle.acknowledge(0) == 0

    fake.scripts = [gives]
    fake.explicit = True
    fake.lease = 0.3
    run(test)


def test_sends_in_order_and_reports_undecided_messages(fake: FakeSidecar, run: Any) -> None:
    payloads: list[bytes] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        for request in requests:
            payloads.extend(message.payload for message in request.batch.messages)
            if payloads and payloads[-1] == b"break":
                abort(context, grpc.StatusCode.UNAVAILABLE, "")
            yield pb.MulticastStreamResponse(decided=len(payloads), accepted=len(payloads))

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        async with mailbox.sender(max_in_flight_messages=100) as sender:
            for number in range(1000):
                await sender.send(s.FIFO_MESS, "g", str(number), timeout=10)
            assert await sender.flush() == s.SenderProgress(1000, 1000, 1000)
        assert payloads == [str(number).encode() for number in range(1000)]
        payloads.clear()
        sender = await mailbox.sender()
        await sender.send(s.FIFO_MESS, "g", b"break")
        for error in (await refused(sender.flush()), await refused(sender.close())):
            assert (error.status, error.outcome) == ("UNAVAILABLE", "unknown")
        assert [message.payload for message in sender.undecided] == [b"break"]
        payloads.clear()
        sender = await mailbox.sender()
        await mailbox.disconnect()
        assert (await refused(sender.send(s.FIFO_MESS, "g", b""))).status == "CANCELLED"

    fake.on_stream = stream
    run(test)


def test_requests_the_responses_that_it_waits_for(fake: FakeSidecar, run: Any) -> None:
    requested: list[int] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        assert next(requests).open.responds_on_request
        decided = 0
        for request in requests:
            decided += len(request.batch.messages)
            if request.batch.respond:
                requested.append(decided)
                yield pb.MulticastStreamResponse(decided=decided, accepted=decided)
        yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        sender = await mailbox.sender(max_in_flight_messages=100)
        for _ in range(3):
            await sender.send(s.FIFO_MESS, "g", b"")
        assert await sender.flush(timeout=10) == s.SenderProgress(3, 3, 3)
        # The messages and the flush share a frame.
        assert requested == [3]
        for _ in range(1000):
            await sender.send(s.FIFO_MESS, "g", b"", timeout=10)
        await sender.send(s.FIFO_MESS, "g", b"")
        assert await sender.close(timeout=10) == s.SenderProgress(1004, 1004, 1004)

    fake.on_stream = stream
    run(test)


def test_a_flush_of_written_messages_writes_an_empty_frame(fake: FakeSidecar, run: Any) -> None:
    frames: list[tuple[int, bool]] = []

    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        for request in requests:
            frames.append((len(request.batch.messages), request.batch.respond))
            if request.batch.respond:
                yield pb.MulticastStreamResponse(decided=1, accepted=1)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        async with (await sidecar.connect()).sender() as sender:
            await sender.send(s.FIFO_MESS, "g", b"")
            await until_async(lambda: frames, "the message is written")
            await sender.flush(timeout=10)
        assert frames == [(1, False), (0, True)]

    fake.on_stream = stream
    run(test)


def test_a_response_that_violates_the_contract_ends_the_sender(fake: FakeSidecar, run: Any) -> None:
    def stream(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        next(requests)
        next(requests)
        yield pb.MulticastStreamResponse(decided=2)
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        sender = await (await sidecar.connect()).sender()
        await sender.send(s.FIFO_MESS, "g", b"")
        for error in (await refused(sender.flush(timeout=10)), await refused(sender.close(timeout=10))):
            assert (error.status, error.outcome) == ("INTERNAL", "unknown")
            assert error.message.startswith("the response of MulticastStream decides 2 messages")

    fake.on_stream = stream
    run(test)


def test_calls_time_out_and_are_given_up_with_their_task(fake: FakeSidecar, run: Any) -> None:
    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        error = await refused(mailbox.multicast(s.SAFE_MESS, "g", b"", timeout=0.05))
        assert (error.status, error.outcome) == ("DEADLINE_EXCEEDED", "unknown")
        call = asyncio.create_task(mailbox.multicast(s.SAFE_MESS, "g", b""))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        call = asyncio.create_task(mailbox.multicast(s.SAFE_MESS, "g", b""))
        await asyncio.sleep(0.05)
        await sidecar.close(keep_mailboxes=True)
        assert (await refused(call)).status == "CANCELLED"
        assert (await refused(sidecar.version())).status == "CANCELLED"

    fake.on_multicast = fake.idle
    run(test)


def test_a_cancelled_disconnect_ends_the_mailbox_without_its_response(fake: FakeSidecar, run: Any) -> None:
    arrived = threading.Event()

    def hang(call: str) -> None:
        if call == "disconnect":
            arrived.set()
            fake.over.wait()

    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        first = asyncio.create_task(mailbox.disconnect(timeout=20))
        await until_async(arrived.is_set, "the call arrives")
        second = asyncio.create_task(mailbox.disconnect())
        third = asyncio.create_task(mailbox.disconnect())
        await asyncio.sleep(0)
        # Only the caller whose call it is can cancel it.
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await third
        assert not first.done() and not second.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await refused(second)).status == "CANCELLED"
        assert (await refused(mailbox.info())).code == "ILLEGAL_SESSION"
        early = await sidecar.connect()
        ending = asyncio.create_task(early.disconnect(timeout=20))
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        await sidecar.close()

    fake.on_other = hang
    run(test)


def test_a_response_that_is_no_message_fails_with_internal(fake: FakeSidecar, run: Any) -> None:
    async def test(sidecar: aio.SpreadSidecar) -> None:
        mailbox = await sidecar.connect()
        fake.malformed.update(("Join", "Multicast", "MulticastStream"))
        error = await refused(mailbox.join("g"))
        assert (error.status, error.message) == ("INTERNAL", "the response of Join is not valid protobuf")
        assert error.outcome is None
        error = await refused(mailbox.multicast(s.SAFE_MESS, "g", b""))
        assert (error.status, error.outcome) == ("INTERNAL", "unknown")
        sender = await mailbox.sender()
        await sender.send(s.SAFE_MESS, "g", b"")
        error = await refused(sender.flush(timeout=10))
        assert (error.status, error.outcome) == ("INTERNAL", "unknown")
        assert error.message == "the response of MulticastStream is not valid protobuf"

    run(test)


def test_a_frame_that_is_no_message_counts_as_a_broken_stream(fake: FakeSidecar, run: Any) -> None:
    def gives(request: Any, context: Any) -> Any:
        fake.malformed.clear()
        yield attached(1)
        yield batch(1)
        fake.idle(context)

    async def test(sidecar: aio.SpreadSidecar) -> None:
        fake.malformed.add("Receive")
        mailbox = await sidecar.connect()
        assert (await mailbox.receive(10)).sequence == 1
        assert len(fake.attaches) == 2

    fake.scripts = [gives]
    run(test)


def test_a_token_may_come_from_a_coroutine(fake: FakeSidecar) -> None:
    async def token() -> str:
        await asyncio.sleep(0)
        return "fresh"

    async def test() -> None:
        assert await aio.version(target=fake.target, token=token) == (0, 0, 0)
        async with aio.SpreadSidecar(target=fake.target, token=lambda: "plain") as sidecar:
            await sidecar.wait_for_ready(5)

    asyncio.run(test())
    assert fake.tokens == ["Bearer fresh", "Bearer plain"]


def test_ends_with_its_loop(fake: FakeSidecar) -> None:
    """A program that ends its loop without closing anything neither hangs nor logs errors."""

    def breaks(request: Any, context: Any) -> Any:
        yield attached(1)
        fake.idle(context)

    async def test() -> s.SpreadError:
        mailbox = await aio.connect(target=fake.target, auto_receive=True)
        receiving = asyncio.create_task(mailbox.receive())
        await asyncio.sleep(0.1)
        receiving.cancel()
        return await refused(mailbox.receive(0.01))

    fake.scripts = [breaks]
    assert asyncio.run(test()).status == "DEADLINE_EXCEEDED"


def test_connect_owns_its_channel(fake: FakeSidecar) -> None:
    async def test() -> None:
        mailbox = await aio.connect(target=fake.target)
        assert await mailbox.disconnect() is True
        assert (await refused(mailbox.info())).message == "the mailbox is disconnected"
        with pytest.raises(TypeError):
            await aio.connect(target=fake.target, name="x")  # type: ignore[call-arg]

    asyncio.run(test())
