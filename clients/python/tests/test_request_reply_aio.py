"""Requests and replies of the asyncio API, over a real sidecar."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Awaitable, Callable

import pytest
from until import until_async

import spread_sidecar as s
from spread_sidecar import aio

Open = Callable[[str], Awaitable[aio.RequestReply]]
Test = Callable[[Open], Awaitable[None]]


@pytest.fixture
def run(target: str) -> Callable[[Test], None]:
    """Runs a test that opens objects, each over its own channel. Checks that no task is left."""

    async def within(test: Test) -> None:
        before = asyncio.all_tasks()
        async with AsyncExitStack() as sidecars:

            async def open_one(name: str) -> aio.RequestReply:
                sidecar = await sidecars.enter_async_context(aio.SpreadSidecar(target=target))
                return await sidecar.open_request_reply(private_name=name)

            await test(open_one)
        await until_async(lambda: not asyncio.all_tasks() - before, "no task is left")

    return lambda test: asyncio.run(asyncio.wait_for(within(test), 30))


async def upper(request: s.IncomingRequest) -> str:
    return request.text().upper()


async def never(request: s.IncomingRequest) -> str:
    await asyncio.Event().wait()
    return ""


def texts(result: s.Replies) -> list[str]:
    return [reply.text() for reply in result.replies]


def test_a_request_gets_the_replies_of_all_members_also_of_the_requester(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        calls = [await open_calls(name) for name in "abc"]
        await calls[0].serve("g", upper)
        # A function that is no coroutine function.
        await calls[1].serve("g", lambda request: request.text().upper())
        await calls[2].serve("g", upper)
        result = await calls[0].request("g", "x", replies="all")
        assert sorted(reply.sender for reply in result.replies) == [one.private_group for one in calls]
        assert (texts(result), result.complete) == (["X"] * 3, True)

    run(test)


def test_a_request_reports_a_member_that_leaves_at_once(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, leaving = await open_calls("client"), await open_calls("leaving")
        asked = asyncio.Event()

        async def handler(request: s.IncomingRequest) -> str:
            asked.set()
            return await never(request)

        await leaving.serve("g", handler)
        requested = asyncio.create_task(client.request("g", "x", replies="all", timeout=60))
        await asyncio.wait_for(asked.wait(), 10)
        await leaving.close()
        result = await asyncio.wait_for(requested, 10)
        assert (result.left, result.complete, result.timed_out) == ((leaving.private_group,), False, False)

    run(test)


def test_a_request_reports_members_that_do_not_reply_in_time(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, server = await open_calls("client"), await open_calls("server")
        await server.serve("g", never)
        result = await client.request("g", "x", replies="all", timeout=0.3)
        assert result == s.Replies((), (), (), (server.private_group,), timed_out=True, complete=False)

    run(test)


def test_a_request_reports_the_failure_of_a_handler(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, server = await open_calls("client"), await open_calls("server")

        async def handler(request: s.IncomingRequest) -> bytes:
            if request.payload == b"long":
                return bytes(200_000)
            raise ValueError("it failed")

        await server.serve("g", handler)
        (reply,) = (await client.request("g", "x")).replies
        assert (reply.error, reply.payload) == ("it failed", b"")
        (reply,) = (await client.request("g", "long")).replies
        assert reply.error is not None and "143" in reply.error

    run(test)


def test_a_request_fails_if_it_is_too_long(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client = await open_calls("client")
        with pytest.raises(s.SpreadError) as caught:
            await client.request("g", bytes(200_000))
        assert (caught.value.reason, caught.value.outcome) == ("MESSAGE_TOO_LONG", "not-sent")
        assert client.statistics.open == 0

    run(test)


def test_a_cancelled_task_forgets_its_request(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client = await open_calls("client")
        requested = asyncio.create_task(client.request("nobody", "x"))
        await until_async(lambda: client.statistics.open == 1, "an open request")
        requested.cancel()
        with pytest.raises(asyncio.CancelledError):
            await requested
        assert client.statistics.open == 0

    run(test)


def test_handlers_run_in_order_and_may_make_requests(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, front, back = [await open_calls(name) for name in ("client", "front", "back")]
        await back.serve("g", upper)
        running: list[str] = []
        order: list[str] = []

        async def handler(request: s.IncomingRequest) -> bytes:
            running.append(request.text())
            assert len(running) == 1
            reply = (await front.request("g", request.payload)).replies[0]
            order.append(running.pop())
            return reply.payload

        await front.serve("front", handler)
        payloads = [f"p{number}" for number in range(20)]
        results = await asyncio.gather(*(client.request("front", payload) for payload in payloads))
        assert [texts(result) for result in results] == [[payload.upper()] for payload in payloads]
        assert sorted(order) == sorted(payloads)

    run(test)


def test_a_service_rejects_requests_when_too_many_wait(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, server = await open_calls("client"), await open_calls("server")
        asked = asyncio.Semaphore(0)
        finish = asyncio.Semaphore(0)

        async def handler(request: s.IncomingRequest) -> str:
            asked.release()
            await finish.acquire()
            return "done"

        await server.serve("g", handler, max_queued=0, concurrency=2)
        accepted = [asyncio.create_task(client.request("g", "x", replies="all", timeout=10)) for _ in range(2)]
        for _ in range(2):
            await asyncio.wait_for(asked.acquire(), 10)
        result = await client.request("g", "x", replies="all", timeout=10)
        assert (result.overloaded, result.complete) == ((server.private_group,), False)
        for _ in range(2):
            finish.release()
        assert [texts(one) for one in await asyncio.gather(*accepted)] == [["done"], ["done"]]

    run(test)


def test_a_service_leaves_the_group_when_it_stops(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, server = await open_calls("client"), await open_calls("server")
        service = await server.serve("g", upper)
        assert (await client.request("g", "x", replies="all")).complete
        await service.stop()
        result = await client.request("g", "x", replies="all", timeout=10)
        assert result == s.Replies((), (), (), (), timed_out=False, complete=True)
        await server.serve("g", upper)
        assert texts(await client.request("g", "again", replies="all")) == ["AGAIN"]

    run(test)


def test_a_handler_may_close_the_object(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client, server = await open_calls("client"), await open_calls("server")
        closed = asyncio.Event()

        async def handler(request: s.IncomingRequest) -> str:
            await server.close()
            closed.set()
            return ""

        await server.serve("g", handler)
        result = await client.request("g", "x", replies="all", timeout=10)
        assert result.left == (server.private_group,)
        await asyncio.wait_for(closed.wait(), 10)

    run(test)


def test_the_end_of_the_mailbox_ends_open_requests_and_all_later_ones(run: Any) -> None:
    async def test(open_calls: Open) -> None:
        client = await open_calls("client")
        requested = asyncio.create_task(client.request("nobody", "x"))
        await until_async(lambda: client.statistics.open == 1, "an open request")
        await client.close()
        for request, outcome in ((requested, "unknown"), (client.request("nobody", "x"), "not-sent")):
            with pytest.raises(s.SpreadError) as caught:
                await request
            assert (caught.value.code, caught.value.outcome) == ("ILLEGAL_SESSION", outcome)

    run(test)
