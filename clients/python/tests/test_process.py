"""How a process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fake_sidecar import FakeSidecar, attached
from until import until

SOURCES = Path(__file__).parent.parent / "src"

LEFT_OPEN = """
import sys, spread_sidecar as s
mailbox = s.connect(target=sys.argv[1], auto_receive=True)
sender = mailbox.sender()
sender.send(s.FIFO_MESS, "g", b"x")
print("ready", flush=True)
"""

RECEIVES = """
import sys, spread_sidecar as s
mailbox = s.connect(target=sys.argv[1])
print("ready", flush=True)
try:
    mailbox.receive()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    mailbox.disconnect()
"""

RECEIVES_ASYNC = """
import asyncio, sys, spread_sidecar.aio as aio
async def main():
    async with aio.connect(target=sys.argv[1]) as mailbox:
        print("ready", flush=True)
        await mailbox.receive()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def start(fake: FakeSidecar, program: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-c", program, fake.target]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.fixture(autouse=True)
def idle(fake: FakeSidecar) -> None:
    def idles(request: Any, context: Any) -> Any:
        yield attached(1)
        fake.idle(context)

    fake.scripts = [idles]


def test_a_program_that_leaves_everything_open_ends(fake: FakeSidecar) -> None:
    begin = time.monotonic()
    child = start(fake, LEFT_OPEN)
    _, errors = child.communicate(timeout=20)
    assert (child.returncode, errors) == (0, "")
    assert time.monotonic() - begin < 10
    # The process detaches from the mailbox without ending it.
    assert fake.disconnects == 0


@pytest.mark.parametrize("program", [RECEIVES, RECEIVES_ASYNC], ids=["blocking", "asyncio"])
def test_an_interrupt_ends_a_wait(fake: FakeSidecar, program: str) -> None:
    child = start(fake, program)
    until(lambda: len(fake.attaches) == 1, "it receives")
    child.send_signal(signal.SIGINT)
    output, errors = child.communicate(timeout=20)
    assert (child.returncode, output, errors) == (0, "interrupted\n", "")
    assert fake.disconnects == 1


def test_no_busy_loop_without_a_sidecar(fake: FakeSidecar) -> None:
    child = start(fake, RECEIVES)
    until(lambda: len(fake.attaches) == 1, "it receives")
    fake.stop()
    time.sleep(1)
    statistics = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    before = int(statistics[11]) + int(statistics[12])
    time.sleep(2)
    statistics = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    # Unit: 10 ms.
    used = int(statistics[11]) + int(statistics[12]) - before
    child.kill()
    child.communicate()
    assert used < 40
