"""The driver of the asyncio API: one task for each request."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Optional

import bench_aio
import output
import translate as t
from translate import DriverError, Json

import spread_sidecar as s
from spread_sidecar import aio

_REQUEST = "request-"


@dataclass
class OpenMailbox:
    mailbox: aio.Mailbox
    notices: list[s.Notice]


@dataclass
class OpenSender:
    sender: aio.Sender
    refusals: list[s.Refusal] = field(default_factory=list)


@dataclass
class OpenCalls:
    calls: aio.RequestReply
    services: dict[str, aio.RequestService] = field(default_factory=dict)


async def never(request: s.IncomingRequest) -> s.OutgoingReply:
    """Does not return until the object closes."""
    await asyncio.Event().wait()
    return s.OutgoingReply(b"")


HANDLERS: dict[str, s.AsyncRequestHandler] = {"echo": t.echo, "fail": t.fail, "never": never}


class Driver:
    def __init__(self) -> None:
        self.sidecars: dict[str, aio.SpreadSidecar] = {}
        self.mailboxes: dict[str, OpenMailbox] = {}
        self.senders: dict[str, OpenSender] = {}
        self.calls: dict[str, OpenCalls] = {}
        self.running: dict[Any, asyncio.Task[None]] = {}

    # The requests' side

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[bytes] = asyncio.Queue()

        def read() -> None:
            for line in sys.stdin.buffer:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, b"")

        threading.Thread(target=read, name=f"{_REQUEST}reader", daemon=True).start()
        output.ready()
        while line := await lines.get():
            if line.strip():
                self.accept(json.loads(line))
        await asyncio.wait([asyncio.create_task(self.close())], timeout=3.0)
        sys.stdout.flush()
        os._exit(0)

    def accept(self, request: Json) -> None:
        number, op, args = request["id"], request["op"], request.get("args", {})
        if op == "cancel":
            running = self.running.get(args["op"])
            if running is None:
                output.failure(number, DriverError(f"no request {args['op']} is running"))
            else:
                running.cancel()
                output.answer(number, {})
        elif op == "resources":
            output.answer(number, self.resources())
        else:
            # Tasks start in the order of their creation, and each makes its call before its first wait.
            task = asyncio.create_task(self.work(number, op, args), name=f"{_REQUEST}{number}")
            task.add_done_callback(lambda task: self.done(number, op, task))
            self.running[number] = task

    def done(self, number: Any, op: str, task: asyncio.Task[None]) -> None:
        """Also for a task that was cancelled before its start."""
        self.running.pop(number, None)
        if task.cancelled():
            # asyncio reports nothing else about a cancelled call.
            outcome: Optional[s.SendOutcome] = "unknown" if op == "multicast" else None
            output.failure(number, s.SpreadError("the task was cancelled", status="CANCELLED", outcome=outcome))

    async def work(self, number: Any, op: str, args: Json) -> None:
        try:
            method = getattr(self, f"op_{op}", None)
            if method is None:
                raise DriverError(f"unknown op {op}")
            result = await method(args, t.seconds(args.get("timeoutMs")))
        except Exception as error:
            output.failure(number, error)
        else:
            output.answer(number, result)

    async def close(self) -> None:
        for sidecar in list(self.sidecars.values()):
            try:
                await sidecar.close()
            except s.SpreadError as error:
                print(f"closing: {error}", file=sys.stderr)

    def resources(self) -> Json:
        threads = [thread for thread in threading.enumerate() if not thread.name.startswith(_REQUEST)]
        current = asyncio.current_task()
        tasks = [
            task for task in asyncio.all_tasks() if task is not current and not task.get_name().startswith(_REQUEST)
        ]
        return {"threads": len(threads), "descriptors": output.descriptors(), "tasks": len(tasks)}

    def sidecar(self, args: Json) -> aio.SpreadSidecar:
        known = self.sidecars.get(args["sidecar"])
        if known is None:
            raise DriverError(f"no sidecar is called {args['sidecar']}")
        return known

    def mailbox(self, args: Json) -> aio.Mailbox:
        known = self.mailboxes.get(args["mailbox"])
        if known is None:
            raise DriverError(f"no mailbox is called {args['mailbox']}")
        return known.mailbox

    def sender(self, args: Json) -> OpenSender:
        known = self.senders.get(args["sender"])
        if known is None:
            raise DriverError(f"no sender is called {args['sender']}")
        return known

    def open_calls(self, args: Json) -> OpenCalls:
        known = self.calls.get(args["calls"])
        if known is None:
            raise DriverError(f"no object for requests and replies is called {args['calls']}")
        return known

    # Channels

    async def op_open(self, args: Json, timeout: Optional[float]) -> Json:
        self.sidecars[args["sidecar"]] = aio.SpreadSidecar(**t.channel_options(args))
        return {}

    async def op_waitForReady(self, args: Json, timeout: Optional[float]) -> Json:
        await self.sidecar(args).wait_for_ready(timeout or 30.0, daemon=args.get("daemon", False))
        return {}

    async def op_version(self, args: Json, timeout: Optional[float]) -> Json:
        return t.version_json(await self.sidecar(args).version(timeout=timeout))

    async def op_list(self, args: Json, timeout: Optional[float]) -> Json:
        token = args.get("token")
        page_size = args.get("pageSize", 0)
        infos = self.sidecar(args).list_mailboxes(token, page_size=page_size, timeout=timeout)
        return {"privateGroups": [info.private_group async for info in infos]}

    async def op_closeSidecar(self, args: Json, timeout: Optional[float]) -> Json:
        await self.sidecar(args).close()
        del self.sidecars[args["sidecar"]]
        return {}

    # Mailboxes

    def keep(self, args: Json, notices: list[s.Notice], mailbox: aio.Mailbox) -> Json:
        self.mailboxes[args["mailbox"]] = OpenMailbox(mailbox, notices)
        return t.opened_json(mailbox)

    async def op_connect(self, args: Json, timeout: Optional[float]) -> Json:
        notices: list[s.Notice] = []
        options = {**t.mailbox_options(args), "on_notice": notices.append}
        return self.keep(args, notices, await self.sidecar(args).connect(timeout=timeout, **options))

    async def op_attach(self, args: Json, timeout: Optional[float]) -> Json:
        notices: list[s.Notice] = []
        options = {**t.mailbox_options(args), "on_notice": notices.append}
        mailbox = await self.sidecar(args).attach(args["mailboxId"], timeout=timeout, **options)
        return self.keep(args, notices, mailbox)

    async def op_detach(self, args: Json, timeout: Optional[float]) -> Json:
        resumption = await self.mailbox(args).detach()
        return {"mailboxId": resumption.mailbox_id, "afterSequence": resumption.after_sequence}

    async def op_disconnect(self, args: Json, timeout: Optional[float]) -> Json:
        was_open = await self.mailbox(args).disconnect(
            leave_groups_first=args.get("leaveGroupsFirst", False),
            abort=args.get("abort", False),
            timeout=timeout,
        )
        return {"wasOpen": was_open}

    async def op_exitMailbox(self, args: Json, timeout: Optional[float]) -> Json:
        async with self.mailbox(args) as mailbox:
            if args.get("receives", False):
                await mailbox.receive(timeout)
        return {}

    async def op_exitSidecar(self, args: Json, timeout: Optional[float]) -> Json:
        async with self.sidecar(args):
            if "receivesFrom" in args:
                await self.mailboxes[args["receivesFrom"]].mailbox.receive(timeout)
        return {}

    async def op_join(self, args: Json, timeout: Optional[float]) -> Json:
        view = await self.mailbox(args).join(args["group"], await_view=args.get("awaitView", False), timeout=timeout)
        return {"view": t.event_json(view) if view else None}

    async def op_leave(self, args: Json, timeout: Optional[float]) -> Json:
        left = await self.mailbox(args).leave(args["group"], await_view=args.get("awaitView", False), timeout=timeout)
        return {"selfLeave": t.event_json(left) if left else None}

    async def op_multicast(self, args: Json, timeout: Optional[float]) -> Json:
        service_type, groups, payload, message_type, self_discard, headers = t.message_arguments(args)
        sent = await self.mailbox(args).multigroup_multicast(
            service_type,
            groups,
            payload,
            message_type,
            self_discard=self_discard,
            headers=headers,
            timeout=timeout,
        )
        return {"bytesSent": sent}

    async def op_receive(self, args: Json, timeout: Optional[float]) -> Json:
        mailbox = self.mailbox(args)
        events: list[Json] = []
        deadline = None if timeout is None else time.monotonic() + timeout
        while len(events) < args.get("count", 1):
            remaining = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                events.append(t.event_json(await mailbox.receive(remaining)))
            except s.SpreadError as error:
                timed_out = error.status == "DEADLINE_EXCEEDED"
                end = None if timed_out else t.error_json(error)
                return {"events": events, "timedOut": timed_out, "end": end}
        return {"events": events, "timedOut": False, "end": None}

    async def op_poll(self, args: Json, timeout: Optional[float]) -> Json:
        return t.poll_json(await self.mailbox(args).poll(timeout=timeout))

    async def op_acknowledge(self, args: Json, timeout: Optional[float]) -> Json:
        now = await self.mailbox(args).acknowledge(args.get("sequence"), timeout=timeout)
        return {"acknowledgedSequence": now}

    async def op_view(self, args: Json, timeout: Optional[float]) -> Json:
        current = await self.mailbox(args).view(args["group"], timeout=timeout)
        return {"view": t.event_json(current.view), "inTransition": current.in_transition}

    async def op_info(self, args: Json, timeout: Optional[float]) -> Json:
        return t.info_json(await self.mailbox(args).info(timeout=timeout))

    async def op_state(self, args: Json, timeout: Optional[float]) -> Json:
        mailbox = self.mailbox(args)
        return {"privateGroup": mailbox.private_group, "lastSequence": mailbox.last_sequence}

    async def op_notices(self, args: Json, timeout: Optional[float]) -> Json:
        self.mailbox(args)
        return {"notices": [t.notice_json(notice) for notice in self.mailboxes[args["mailbox"]].notices]}

    # Senders

    async def op_openSender(self, args: Json, timeout: Optional[float]) -> Json:
        refusals: list[s.Refusal] = []
        on_refused = refusals.append if args.get("callback", True) else None
        sender = await self.mailbox(args).sender(on_refused=on_refused, **t.sender_options(args))
        self.senders[args["sender"]] = OpenSender(sender, refusals)
        return {}

    async def op_send(self, args: Json, timeout: Optional[float]) -> Json:
        sender = self.sender(args).sender
        service_type, groups, payload, message_type, self_discard, headers = t.message_arguments(args)
        for _ in range(args.get("times", 1)):
            await sender.send(
                service_type,
                tuple(groups),
                payload,
                message_type,
                self_discard=self_discard,
                headers=headers,
                timeout=timeout,
            )
        return {}

    async def op_flush(self, args: Json, timeout: Optional[float]) -> Json:
        return t.progress_json(await self.sender(args).sender.flush(timeout=timeout))

    async def op_senderState(self, args: Json, timeout: Optional[float]) -> Json:
        known = self.sender(args)
        return t.sender_state_json(known.sender, known.refusals)

    async def op_closeSender(self, args: Json, timeout: Optional[float]) -> Json:
        return t.progress_json(await self.sender(args).sender.close(timeout=timeout))

    # Requests and replies

    async def op_openRequestReply(self, args: Json, timeout: Optional[float]) -> Json:
        calls = await self.sidecar(args).open_request_reply(
            timeout=timeout, **t.mailbox_options(args)
        )
        self.calls[args["calls"]] = OpenCalls(calls)
        return {"privateGroup": calls.private_group}

    async def op_serve(self, args: Json, timeout: Optional[float]) -> Json:
        known = self.open_calls(args)
        handler = HANDLERS.get(args["behaviour"])
        if handler is None:
            raise DriverError(f"no behaviour is called {args['behaviour']}")
        service = await known.calls.serve(
            args["group"], handler, timeout=timeout, **t.serve_options(args)
        )
        known.services[args["group"]] = service
        return {}

    async def op_stopServing(self, args: Json, timeout: Optional[float]) -> Json:
        service = self.open_calls(args).services.pop(args["group"], None)
        if service is None:
            raise DriverError(f"no service has the group {args['group']}")
        await service.stop(timeout=timeout)
        return {}

    async def op_request(self, args: Json, timeout: Optional[float]) -> Json:
        payload = base64.b64decode(args.get("payload", ""))
        calls = self.open_calls(args).calls
        return t.replies_json(await calls.request(args["target"], payload, **t.request_options(args)))

    async def op_requestStatistics(self, args: Json, timeout: Optional[float]) -> Json:
        return t.statistics_json(self.open_calls(args).calls.statistics)

    async def op_closeRequestReply(self, args: Json, timeout: Optional[float]) -> Json:
        await self.open_calls(args).calls.close(timeout=timeout)
        return {}

    # Benchmarks

    async def op_benchThroughput(self, args: Json, timeout: Optional[float]) -> Json:
        throughput = bench_aio.raw_throughput if args.get("raw") else bench_aio.throughput
        return await throughput(args["target"], args["payloadBytes"], args["seconds"])

    async def op_benchRoundTrip(self, args: Json, timeout: Optional[float]) -> Json:
        round_trip = bench_aio.raw_round_trip if args.get("raw") else bench_aio.round_trip
        return await round_trip(args["target"], args["payloadBytes"], args["count"])


def run() -> None:
    asyncio.run(Driver().serve())
