"""The same as bench_sync with only the generated stubs and the minimum of code."""

from __future__ import annotations

import threading
import time
from typing import Iterator

import grpc
from credit import Count, Credit, summary
from translate import Json

from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb
from spread_sidecar.gen.spread.sidecar.v1 import types_pb2
from spread_sidecar.gen.spread.sidecar.v1.mailbox_service_pb2_grpc import MailboxServiceStub

OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.http2.lookahead_bytes", 1024 * 1024),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.default_authority", "localhost"),
]
FRAME_MESSAGES = 1024
FRAME_BYTES = 1024 * 1024


def frame_size(payload_bytes: int) -> int:
    """The number of messages in a frame of the client."""
    return max(1, min(FRAME_MESSAGES, FRAME_BYTES // (payload_bytes + 48)))


def frame(group: str, payload: bytes, count: int) -> pb.MulticastStreamRequest:
    messages = [
        pb.MulticastMessage(service_type=types_pb2.SERVICE_TYPE_FIFO, groups=[group], payload=payload)
        for _ in range(count)
    ]
    return pb.MulticastStreamRequest(batch=pb.MulticastBatch(messages=messages))


def throughput(target: str, payload_bytes: int, seconds: float) -> Json:
    payload = bytes(payload_bytes)
    with grpc.insecure_channel(target, OPTIONS) as channel:
        stub = MailboxServiceStub(channel)  # type: ignore[no-untyped-call]
        mailbox = stub.Connect(pb.ConnectRequest(membership=False))
        count = Count(payload_bytes, seconds)
        credit = Credit(count)
        size = frame_size(payload_bytes)

        def frames() -> Iterator[pb.MulticastStreamRequest]:
            yield pb.MulticastStreamRequest(open=pb.MulticastStreamOpen(mailbox_id=mailbox.mailbox_id))
            while room := credit.take():
                while room:
                    number = min(room, size)
                    yield frame(mailbox.private_group, payload, number)
                    room -= number

        events = stub.Receive(pb.ReceiveRequest(mailbox_id=mailbox.mailbox_id))
        answers = stub.MulticastStream(frames())

        def read() -> None:
            for _ in answers:
                pass

        reader = threading.Thread(target=read, name="request-read")
        reader.start()
        for response in events:
            if not count.add(len(response.batch.events)):
                break
            credit.received()
        credit.stop()
        # The results do not include what the thread still sends, but it must end first.
        while reader.is_alive():
            next(events)
        events.cancel()
        reader.join()
        stub.Disconnect(pb.DisconnectRequest(mailbox_id=mailbox.mailbox_id))
        return count.result()


def round_trip(target: str, payload_bytes: int, count: int) -> Json:
    payload = bytes(payload_bytes)
    latencies = []
    with grpc.insecure_channel(target, OPTIONS) as channel:
        stub = MailboxServiceStub(channel)  # type: ignore[no-untyped-call]
        mailbox = stub.Connect(pb.ConnectRequest(membership=False))
        events = stub.Receive(pb.ReceiveRequest(mailbox_id=mailbox.mailbox_id))
        next(events)
        for _ in range(count + count // 10):
            begin = time.perf_counter()
            message = pb.MulticastMessage(
                service_type=types_pb2.SERVICE_TYPE_FIFO, groups=[mailbox.private_group], payload=payload
            )
            stub.Multicast(pb.MulticastRequest(mailbox_id=mailbox.mailbox_id, message=message))
            while not next(events).batch.events:
                pass
            latencies.append(time.perf_counter() - begin)
        events.cancel()
        stub.Disconnect(pb.DisconnectRequest(mailbox_id=mailbox.mailbox_id))
    return summary(latencies[count // 10 :])
