"""The drop-in module in programs that gevent has patched."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
from fake_sidecar import FakeSidecar

if importlib.util.find_spec("gevent") is None and not os.environ.get("CI"):
    pytest.skip("needs gevent", allow_module_level=True)

PATCHED = "from gevent import monkey; monkey.patch_all()\n"
INIT = "import grpc.experimental.gevent; grpc.experimental.gevent.init_gevent()\n"
USE = """
import gevent, spread
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.001)
gevent.spawn(tick)
box = spread.connect("", "me", 0, 0)
for n in range(100):
    assert box.multicast(spread.FIFO_MESS, "g", "four") == 4
receiver = gevent.spawn(lambda: box.receive())
receiver.join(0.2)
assert not receiver.dead and len(ticks) > 5, len(ticks)
box.disconnect()
receiver.join(10)
assert isinstance(receiver.exception, spread.SpreadError), receiver.exception
print("done")
"""


def run(program: str, fake: FakeSidecar) -> subprocess.CompletedProcess[str]:
    fake.scripts = [fake.quiet]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SPREAD_SIDECAR_TARGET": fake.target,
    }
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("call", ["connect", "version"])
def test_a_patched_program_without_init_gevent_gets_an_error_and_does_not_hang(call: str, fake: FakeSidecar) -> None:
    ended = run(f"{PATCHED}import spread; spread.{call}()", fake)
    assert ended.returncode == 1
    assert "SpreadError" in ended.stderr and "init_gevent() after gevent.monkey.patch_all()" in ended.stderr


def test_a_patched_program_with_init_gevent_works_and_other_greenlets_run(fake: FakeSidecar) -> None:
    ended = run(PATCHED + INIT + USE, fake)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr


def test_gevent_without_patches_changes_nothing(fake: FakeSidecar) -> None:
    ended = run("import gevent, spread; spread.version(); print('done')", fake)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
