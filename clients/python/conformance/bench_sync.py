"""Benchmarks of the blocking API."""

from __future__ import annotations

import threading
import time

from credit import Count, Credit, summary
from translate import Json

import spread_sidecar as s


def throughput(target: str, payload_bytes: int, seconds: float) -> Json:
    payload = bytes(payload_bytes)
    with s.connect(target=target, membership=False) as mailbox:
        group = mailbox.private_group
        count = Count(payload_bytes, seconds)
        credit = Credit(count)
        sender = mailbox.sender()

        def send() -> None:
            while room := credit.take():
                for _ in range(room):
                    sender.send(s.FIFO_MESS, group, payload)

        thread = threading.Thread(target=send, name="request-send")
        thread.start()
        while count.add(len(mailbox.receive_many())):
            credit.received()
        credit.stop()
        # The results do not include what the thread still sends, but it must end first.
        while thread.is_alive():
            mailbox.receive_many()
            thread.join(0)
        sender.abort()
        return count.result()


def round_trip(target: str, payload_bytes: int, count: int) -> Json:
    payload = bytes(payload_bytes)
    latencies = []
    with s.connect(target=target, membership=False, auto_receive=True) as mailbox:
        group = mailbox.private_group
        for _ in range(count + count // 10):
            begin = time.perf_counter()
            mailbox.multicast(s.FIFO_MESS, group, payload)
            mailbox.receive()
            latencies.append(time.perf_counter() - begin)
    return summary(latencies[count // 10 :])
