"""A sidecar whose behavior a test defines, with a real gRPC server."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import Any, Callable, Iterable, Iterator, NoReturn, Optional

import grpc
from google.protobuf.any_pb2 import Any as ProtoAny
from google.protobuf.duration_pb2 import Duration

from spread_sidecar.gen.spread.sidecar.internal.v1 import rich_status_pb2
from spread_sidecar.gen.spread.sidecar.v1 import event_pb2, types_pb2
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb
from spread_sidecar.gen.spread.sidecar.v1.mailbox_service_pb2_grpc import (
    MailboxServiceServicer,
    add_MailboxServiceServicer_to_server,
)

Script = Callable[[pb.ReceiveRequest, grpc.ServicerContext], Iterable[pb.ReceiveResponse]]


def attached(next_sequence: int, private_group: str = "#me#fake") -> pb.ReceiveResponse:
    return pb.ReceiveResponse(attached=pb.ReceiveAttached(next_sequence=next_sequence, private_group=private_group))


def batch(*sequences: int, payload: bytes = b"") -> pb.ReceiveResponse:
    return pb.ReceiveResponse(batch=pb.EventBatch(events=[regular(sequence, payload) for sequence in sequences]))


def regular(sequence: int, payload: bytes = b"") -> event_pb2.Event:
    message = event_pb2.RegularMessage(
        sender="#me#fake",
        groups=["g"],
        service_type=types_pb2.SERVICE_TYPE_AGREED,
        payload=payload or str(sequence).encode(),
        spread_type=0x10,
    )
    return event_pb2.Event(sequence=sequence, regular_message=message)


def heartbeat(last_sequence: int) -> pb.ReceiveResponse:
    return pb.ReceiveResponse(heartbeat=pb.Heartbeat(last_sequence=last_sequence))


def details(reason: str, retry: Optional[float] = None, *, domain: str = "spread-sidecar", **metadata: str) -> bytes:
    info = rich_status_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata)
    parts = [ProtoAny(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info.SerializeToString())]
    if retry is not None:
        delay = rich_status_pb2.RetryInfo(retry_delay=Duration(nanos=int(retry * 1e9)))
        parts.append(ProtoAny(type_url="type.googleapis.com/google.rpc.RetryInfo", value=delay.SerializeToString()))
    return rich_status_pb2.RichStatus(details=parts).SerializeToString()


def abort(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str, **metadata: str) -> NoReturn:
    """Ends a call as the sidecar does. Without a reason, it looks like a broken connection."""
    if reason:
        context.set_trailing_metadata((("grpc-status-details-bin", details(reason, None, **metadata)),))
    context.abort(code, reason or "broken")
    raise AssertionError


class Malformer(grpc.ServerInterceptor):
    """Replaces the bytes of all responses of the named calls."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler: Any = continuation(handler_call_details)
        if handler_call_details.method.rpartition("/")[2] not in self._names:
            return handler
        return handler._replace(response_serializer=lambda response: b"\xff\xff")


class FakeSidecar(MailboxServiceServicer):
    """``scripts``: the behavior of each Receive stream, in order. The last one repeats."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.lease = 30.0
        self.explicit = False
        self.attaches: list[Optional[int]] = []
        self.acknowledged: list[int] = []
        self.tokens: list[str] = []
        self.daemons: list[str] = []
        self.connects: list[pb.ConnectRequest] = []
        self.polls = 0
        #: Names of the calls whose responses are not valid protobuf.
        self.malformed: set[str] = set()
        #: Whether the response of Join has no view, even if the request asks for it.
        self.omits_view = False
        self.disconnects = 0
        self.on_acknowledge: Callable[[int, grpc.ServicerContext], None] = lambda up_to, context: None
        self.on_multicast: Callable[[grpc.ServicerContext], None] = lambda context: None
        #: Called with the message of each Multicast.
        self.on_message: Callable[[pb.MulticastMessage], None] = lambda message: None
        #: Called for each Join, Leave and Disconnect.
        self.on_other: Callable[[str], None] = lambda call: None
        self.on_stream: Optional[Callable[[Iterator[Any], grpc.ServicerContext], Iterator[Any]]] = None
        #: Ends every stream that waits for it.
        self.over = threading.Event()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(32, thread_name_prefix="fake-sidecar"), interceptors=[Malformer(self.malformed)]
        )
        add_MailboxServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.target = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        self.over.set()
        self._server.stop(0).wait(5)

    def idle(self, context: grpc.ServicerContext) -> None:
        """Waits until the client cancels the stream."""
        while context.is_active() and not self.over.wait(0.01):
            pass

    def quiet(self, request: pb.ReceiveRequest, context: grpc.ServicerContext) -> Iterator[pb.ReceiveResponse]:
        """A script: attaches and sends nothing."""
        yield attached(1)
        self.idle(context)

    def Connect(self, request: Any, context: grpc.ServicerContext) -> pb.ConnectResponse:
        self._note(context)
        self.daemons.append(request.daemon)
        self.connects.append(request)
        return pb.ConnectResponse(
            mailbox_id="m" * 32,
            private_group="#me#fake",
            daemon="4803@fake",
            limits=self._limits(),
            acknowledgement=self._mode(),
        )

    def GetMailbox(self, request: Any, context: grpc.ServicerContext) -> pb.GetMailboxResponse:
        mailbox = pb.Mailbox(
            private_group="#me#fake",
            limits=self._limits(),
            acknowledgement=self._mode(),
            delivered_sequence=7,
            acknowledged_sequence=5,
        )
        return pb.GetMailboxResponse(mailbox=mailbox)

    def GetVersion(self, request: Any, context: grpc.ServicerContext) -> pb.GetVersionResponse:
        self._note(context)
        return pb.GetVersionResponse(sidecar="9.9.9")

    def Join(self, request: Any, context: grpc.ServicerContext) -> pb.JoinResponse:
        self.on_other("join")
        if not request.await_view or self.omits_view:
            return pb.JoinResponse()
        return pb.JoinResponse(view=event_pb2.MembershipView(group=request.group, members=["#me#fake"]))

    def Leave(self, request: Any, context: grpc.ServicerContext) -> pb.LeaveResponse:
        self.on_other("leave")
        return pb.LeaveResponse()

    def Disconnect(self, request: Any, context: grpc.ServicerContext) -> pb.DisconnectResponse:
        self.on_other("disconnect")
        self.disconnects += 1
        self.over.set()
        return pb.DisconnectResponse(was_open=True)

    def Poll(self, request: Any, context: grpc.ServicerContext) -> pb.PollResponse:
        self.polls += 1
        return pb.PollResponse(state=types_pb2.MAILBOX_STATE_OPEN)

    def Multicast(self, request: Any, context: grpc.ServicerContext) -> pb.MulticastResponse:
        self.on_multicast(context)
        self.on_message(request.message)
        return pb.MulticastResponse(bytes_sent=len(request.message.payload))

    def Acknowledge(self, request: Any, context: grpc.ServicerContext) -> pb.AcknowledgeResponse:
        self.on_acknowledge(request.up_to_sequence, context)
        self.acknowledged.append(request.up_to_sequence)
        return pb.AcknowledgeResponse(acknowledged_sequence=request.up_to_sequence)

    def Receive(self, request: pb.ReceiveRequest, context: grpc.ServicerContext) -> Iterator[pb.ReceiveResponse]:
        self._note(context)
        self.attaches.append(request.after_sequence if request.HasField("after_sequence") else None)
        script = self.scripts[min(len(self.attaches), len(self.scripts)) - 1]
        yield from script(request, context)

    def MulticastStream(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        if self.on_stream is not None:
            yield from self.on_stream(requests, context)
            return
        decided = 0
        for request in requests:
            decided += len(request.batch.messages)
            yield pb.MulticastStreamResponse(decided=decided, accepted=decided)

    def _note(self, context: grpc.ServicerContext) -> None:
        metadata = dict(context.invocation_metadata())
        self.tokens.append(str(metadata.get("authorization", "")))

    def _limits(self) -> pb.MailboxLimits:
        seconds = int(self.lease)
        return pb.MailboxLimits(lease=Duration(seconds=seconds, nanos=round((self.lease - seconds) * 1e9)))

    def _mode(self) -> Any:
        return types_pb2.ACKNOWLEDGEMENT_EXPLICIT if self.explicit else types_pb2.ACKNOWLEDGEMENT_AUTO
