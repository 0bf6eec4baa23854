"""Benchmarks of the asyncio API, and of only grpc.aio's stubs."""

from __future__ import annotations

import asyncio
import time

import bench_raw as raw
import grpc.aio
from credit import Count, summary
from translate import Json

import spread_sidecar as s
from spread_sidecar import aio
from spread_sidecar.gen.spread.sidecar.v1 import mailbox_service_pb2 as pb
from spread_sidecar.gen.spread.sidecar.v1 import types_pb2
from spread_sidecar.gen.spread.sidecar.v1.mailbox_service_pb2_grpc import MailboxServiceStub


class Credit:
    """Limits the messages in flight between a sending and a receiving task."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._room = asyncio.Event()
        self._sent = 0

    async def take(self) -> int:
        """Waits for space, and returns the number of messages that may be sent now."""
        while (room := self._count.limit - (self._sent - self._count.received)) <= 0:
            self._room.clear()
            await self._room.wait()
        self._sent += room
        return room

    def received(self) -> None:
        """Reports that there may be space again."""
        self._room.set()


async def throughput(target: str, payload_bytes: int, seconds: float) -> Json:
    payload = bytes(payload_bytes)
    async with aio.connect(target=target, membership=False) as mailbox:
        group = mailbox.private_group
        count = Count(payload_bytes, seconds)
        credit = Credit(count)
        sender = await mailbox.sender()

        async def send() -> None:
            while True:
                for _ in range(await credit.take()):
                    await sender.send(s.FIFO_MESS, group, payload)

        sending = asyncio.create_task(send())
        while count.add(len(await mailbox.receive_many())):
            credit.received()
        sending.cancel()
        await asyncio.wait([sending])
        await sender.abort()
        return count.result()


async def round_trip(target: str, payload_bytes: int, count: int) -> Json:
    payload = bytes(payload_bytes)
    latencies = []
    async with aio.connect(target=target, membership=False, auto_receive=True) as mailbox:
        group = mailbox.private_group
        for _ in range(count + count // 10):
            begin = time.perf_counter()
            await mailbox.multicast(s.FIFO_MESS, group, payload)
            await mailbox.receive()
            latencies.append(time.perf_counter() - begin)
    return summary(latencies[count // 10 :])


async def raw_throughput(target: str, payload_bytes: int, seconds: float) -> Json:
    payload = bytes(payload_bytes)
    async with grpc.aio.insecure_channel(target, raw.OPTIONS) as channel:
        stub = MailboxServiceStub(channel)  # type: ignore[no-untyped-call]
        mailbox = await stub.Connect(pb.ConnectRequest(membership=False))
        count = Count(payload_bytes, seconds)
        credit = Credit(count)
        size = raw.frame_size(payload_bytes)
        events = stub.Receive(pb.ReceiveRequest(mailbox_id=mailbox.mailbox_id))
        stream = stub.MulticastStream()

        async def send() -> None:
            await stream.write(pb.MulticastStreamRequest(open=pb.MulticastStreamOpen(mailbox_id=mailbox.mailbox_id)))
            while True:
                room = await credit.take()
                while room:
                    number = min(room, size)
                    await stream.write(raw.frame(mailbox.private_group, payload, number))
                    room -= number

        async def read() -> None:
            while await stream.read() is not grpc.aio.EOF:
                pass

        tasks = [asyncio.create_task(send()), asyncio.create_task(read())]
        while count.add(len((await events.read()).batch.events)):
            credit.received()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        events.cancel()
        stream.cancel()
        await stub.Disconnect(pb.DisconnectRequest(mailbox_id=mailbox.mailbox_id))
        return count.result()


async def raw_round_trip(target: str, payload_bytes: int, count: int) -> Json:
    payload = bytes(payload_bytes)
    latencies = []
    async with grpc.aio.insecure_channel(target, raw.OPTIONS) as channel:
        stub = MailboxServiceStub(channel)  # type: ignore[no-untyped-call]
        mailbox = await stub.Connect(pb.ConnectRequest(membership=False))
        events = stub.Receive(pb.ReceiveRequest(mailbox_id=mailbox.mailbox_id))
        await events.read()
        for _ in range(count + count // 10):
            begin = time.perf_counter()
            message = pb.MulticastMessage(
                service_type=types_pb2.SERVICE_TYPE_FIFO, groups=[mailbox.private_group], payload=payload
            )
            await stub.Multicast(pb.MulticastRequest(mailbox_id=mailbox.mailbox_id, message=message))
            while not (await events.read()).batch.events:
                pass
            latencies.append(time.perf_counter() - begin)
        events.cancel()
        await stub.Disconnect(pb.DisconnectRequest(mailbox_id=mailbox.mailbox_id))
    return summary(latencies[count // 10 :])
