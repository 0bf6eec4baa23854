"""The driver of the blocking API: one thread for each request."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import bench_raw
import bench_sync
import output
import translate as t
from translate import DriverError, Json

import spread_sidecar as s

_REQUEST = "request-"


class Begun(s.Cancellation):
    """Reports when a call waits. The next call on the same mailbox may start then."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        remove = super().on_cancel(callback)
        self.event.set()
        return remove


@dataclass
class OpenMailbox:
    mailbox: s.Mailbox
    notices: list[s.Notice]


@dataclass
class OpenSender:
    sender: s.Sender
    refusals: list[s.Refusal] = field(default_factory=list)


@dataclass
class OpenCalls:
    calls: s.RequestReply
    services: dict[str, s.RequestService] = field(default_factory=dict)


def never(request: s.IncomingRequest) -> s.OutgoingReply:
    """Does not return until the object closes."""
    closed = threading.Event()
    request.cancel.on_cancel(closed.set)
    closed.wait()
    return s.OutgoingReply(b"")


HANDLERS: dict[str, s.RequestHandler] = {"echo": t.echo, "fail": t.fail, "never": never}


class Driver:
    def __init__(self) -> None:
        self.sidecars: dict[str, s.SpreadSidecar] = {}
        self.mailboxes: dict[str, OpenMailbox] = {}
        self.senders: dict[str, OpenSender] = {}
        self.calls: dict[str, OpenCalls] = {}
        self.running: dict[Any, Begun] = {}
        self.last: dict[str, threading.Event] = {}

    # The requests' side

    def serve(self) -> None:
        output.ready()
        for line in sys.stdin.buffer:
            if line.strip():
                self.accept(json.loads(line))
        closing = threading.Thread(target=self.close, daemon=True)
        closing.start()
        closing.join(3.0)
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
            return
        if op == "resources":
            output.answer(number, self.resources())
            return
        begun = Begun()
        self.running[number] = begun
        keys = [f"{kind}:{args[kind]}" for kind in ("mailbox", "sender", "calls") if kind in args]
        before = [self.last[key] for key in keys if key in self.last]
        for key in keys:
            self.last[key] = begun.event
        work = threading.Thread(
            target=self.work, args=(number, op, args, begun, before), name=f"{_REQUEST}{number}", daemon=True
        )
        work.start()

    def work(self, number: Any, op: str, args: Json, begun: Begun, before: list[threading.Event]) -> None:
        try:
            for event in before:
                event.wait()
            method = getattr(self, f"op_{op}", None)
            if method is None:
                raise DriverError(f"unknown op {op}")
            result = method(args, t.seconds(args.get("timeoutMs")), begun)
        except BaseException as error:
            output.failure(number, error)
        else:
            output.answer(number, result)
        finally:
            begun.event.set()
            self.running.pop(number, None)

    def close(self) -> None:
        for sidecar in list(self.sidecars.values()):
            try:
                sidecar.close()
            except s.SpreadError as error:
                print(f"closing: {error}", file=sys.stderr)

    def resources(self) -> Json:
        threads = [thread for thread in threading.enumerate() if not thread.name.startswith(_REQUEST)]
        return {"threads": len(threads), "descriptors": output.descriptors(), "tasks": None}

    def sidecar(self, args: Json) -> s.SpreadSidecar:
        known = self.sidecars.get(args["sidecar"])
        if known is None:
            raise DriverError(f"no sidecar is called {args['sidecar']}")
        return known

    def mailbox(self, args: Json) -> s.Mailbox:
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

    def op_open(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        self.sidecars[args["sidecar"]] = s.SpreadSidecar(**t.channel_options(args))
        return {}

    def op_waitForReady(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        self.sidecar(args).wait_for_ready(timeout or 30.0, daemon=args.get("daemon", False), cancel=cancel)
        return {}

    def op_version(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.version_json(self.sidecar(args).version(timeout=timeout, cancel=cancel))

    def op_list(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        token = args.get("token")
        page_size = args.get("pageSize", 0)
        infos = self.sidecar(args).list_mailboxes(token, page_size=page_size, timeout=timeout, cancel=cancel)
        return {"privateGroups": [info.private_group for info in infos]}

    def op_closeSidecar(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        self.sidecar(args).close()
        del self.sidecars[args["sidecar"]]
        return {}

    # Mailboxes

    def keep(self, args: Json, notices: list[s.Notice], mailbox: s.Mailbox) -> Json:
        self.mailboxes[args["mailbox"]] = OpenMailbox(mailbox, notices)
        return t.opened_json(mailbox)

    def op_connect(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        notices: list[s.Notice] = []
        options = {**t.mailbox_options(args), "on_notice": notices.append}
        return self.keep(args, notices, self.sidecar(args).connect(timeout=timeout, cancel=cancel, **options))

    def op_attach(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        notices: list[s.Notice] = []
        options = {**t.mailbox_options(args), "on_notice": notices.append}
        mailbox = self.sidecar(args).attach(args["mailboxId"], timeout=timeout, cancel=cancel, **options)
        return self.keep(args, notices, mailbox)

    def op_detach(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        resumption = self.mailbox(args).detach()
        return {"mailboxId": resumption.mailbox_id, "afterSequence": resumption.after_sequence}

    def op_disconnect(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        was_open = self.mailbox(args).disconnect(
            leave_groups_first=args.get("leaveGroupsFirst", False),
            abort=args.get("abort", False),
            timeout=timeout,
            cancel=cancel,
        )
        return {"wasOpen": was_open}

    def op_exitMailbox(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        with self.mailbox(args) as mailbox:
            if args.get("receives", False):
                mailbox.receive(timeout, cancel=cancel)
        return {}

    def op_exitSidecar(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        with self.sidecar(args):
            if "receivesFrom" in args:
                self.mailboxes[args["receivesFrom"]].mailbox.receive(timeout, cancel=cancel)
        return {}

    def op_join(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        view = self.mailbox(args).join(
            args["group"], await_view=args.get("awaitView", False), timeout=timeout, cancel=cancel
        )
        return {"view": t.event_json(view) if view else None}

    def op_leave(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        left = self.mailbox(args).leave(
            args["group"], await_view=args.get("awaitView", False), timeout=timeout, cancel=cancel
        )
        return {"selfLeave": t.event_json(left) if left else None}

    def op_multicast(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        service_type, groups, payload, message_type, self_discard, headers = t.message_arguments(args)
        sent = self.mailbox(args).multigroup_multicast(
            service_type,
            groups,
            payload,
            message_type,
            self_discard=self_discard,
            headers=headers,
            timeout=timeout,
            cancel=cancel,
        )
        return {"bytesSent": sent}

    def op_receive(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        mailbox = self.mailbox(args)
        events: list[Json] = []
        deadline = None if timeout is None else time.monotonic() + timeout
        while len(events) < args.get("count", 1):
            remaining = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                events.append(t.event_json(mailbox.receive(remaining, cancel=cancel)))
            except s.SpreadError as error:
                if cancel.cancelled:
                    raise
                timed_out = error.status == "DEADLINE_EXCEEDED"
                end = None if timed_out else t.error_json(error)
                return {"events": events, "timedOut": timed_out, "end": end}
        return {"events": events, "timedOut": False, "end": None}

    def op_poll(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.poll_json(self.mailbox(args).poll(timeout=timeout, cancel=cancel))

    def op_acknowledge(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        now = self.mailbox(args).acknowledge(args.get("sequence"), timeout=timeout, cancel=cancel)
        return {"acknowledgedSequence": now}

    def op_view(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        current = self.mailbox(args).view(args["group"], timeout=timeout, cancel=cancel)
        return {"view": t.event_json(current.view), "inTransition": current.in_transition}

    def op_info(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.info_json(self.mailbox(args).info(timeout=timeout, cancel=cancel))

    def op_state(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        mailbox = self.mailbox(args)
        return {"privateGroup": mailbox.private_group, "lastSequence": mailbox.last_sequence}

    def op_notices(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        self.mailbox(args)
        return {"notices": [t.notice_json(notice) for notice in self.mailboxes[args["mailbox"]].notices]}

    # Senders

    def op_openSender(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        refusals: list[s.Refusal] = []
        on_refused = refusals.append if args.get("callback", True) else None
        sender = self.mailbox(args).sender(on_refused=on_refused, **t.sender_options(args))
        self.senders[args["sender"]] = OpenSender(sender, refusals)
        return {}

    def op_send(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        sender = self.sender(args).sender
        service_type, groups, payload, message_type, self_discard, headers = t.message_arguments(args)
        for _ in range(args.get("times", 1)):
            sender.send(
                service_type,
                tuple(groups),
                payload,
                message_type,
                self_discard=self_discard,
                headers=headers,
                timeout=timeout,
                cancel=cancel,
            )
        return {}

    def op_flush(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.progress_json(self.sender(args).sender.flush(timeout=timeout, cancel=cancel))

    def op_senderState(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        known = self.sender(args)
        return t.sender_state_json(known.sender, known.refusals)

    def op_closeSender(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.progress_json(self.sender(args).sender.close(timeout=timeout, cancel=cancel))

    # Requests and replies

    def op_openRequestReply(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        calls = self.sidecar(args).open_request_reply(
            timeout=timeout, cancel=cancel, **t.mailbox_options(args)
        )
        self.calls[args["calls"]] = OpenCalls(calls)
        return {"privateGroup": calls.private_group}

    def op_serve(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        known = self.open_calls(args)
        handler = HANDLERS.get(args["behaviour"])
        if handler is None:
            raise DriverError(f"no behaviour is called {args['behaviour']}")
        service = known.calls.serve(
            args["group"], handler, timeout=timeout, cancel=cancel, **t.serve_options(args)
        )
        known.services[args["group"]] = service
        return {}

    def op_stopServing(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        service = self.open_calls(args).services.pop(args["group"], None)
        if service is None:
            raise DriverError(f"no service has the group {args['group']}")
        service.stop(timeout=timeout, cancel=cancel)
        return {}

    def op_request(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        payload = base64.b64decode(args.get("payload", ""))
        calls = self.open_calls(args).calls
        return t.replies_json(calls.request(args["target"], payload, cancel=cancel, **t.request_options(args)))

    def op_requestStatistics(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        return t.statistics_json(self.open_calls(args).calls.statistics)

    def op_closeRequestReply(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        self.open_calls(args).calls.close(timeout=timeout, cancel=cancel)
        return {}

    # Benchmarks

    def op_benchThroughput(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        throughput = bench_raw.throughput if args.get("raw") else bench_sync.throughput
        return throughput(args["target"], args["payloadBytes"], args["seconds"])

    def op_benchRoundTrip(self, args: Json, timeout: Optional[float], cancel: Begun) -> Json:
        round_trip = bench_raw.round_trip if args.get("raw") else bench_sync.round_trip
        return round_trip(args["target"], args["payloadBytes"], args["count"])


def run() -> None:
    Driver().serve()
