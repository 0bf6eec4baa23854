from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, Iterator

import pytest
from until import until

import spread
import spread_sidecar
from spread import _errors as spread_errors


@pytest.fixture
def here(target: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", target)
    yield


def readable(box: spread.MailboxType) -> bool:
    return bool(select.select([box], [], [], 0)[0])


def says(box: spread.MailboxType, ready: bool) -> bool:
    return readable(box) == ready and box.poll() == int(ready)


def test_a_few_constants_have_the_values_of_the_c_header() -> None:
    assert (spread.SAFE_MESS, spread.AGREED_MESS, spread.REGULAR_MESS) == (0x20, 0x10, 0x3F)
    assert (spread.REJECT_NOT_UNIQUE, spread.CONNECTION_CLOSED, spread.MESSAGE_TOO_LONG) == (-6, -8, -17)
    assert (spread.DEFAULT_SPREAD_PORT, spread.MAX_GROUP_NAME, spread.ACCEPT_SESSION) == (4803, 32, 1)


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        (("", "kw"), {}),
        ((), {"private_name": "kw"}),
        ((), {"name": "kw"}),
        ((), {"daemon": "", "name": "kw", "priority": 0, "membership": 1}),
        ((), {"spread_name": "", "private_name": "kw", "membership": 0}),
        (("",), {"private_name": "kw"}),
    ],
)
@pytest.mark.usefixtures("here")
def test_connect_accepts_both_families_of_names(args: tuple[str, ...], keywords: dict[str, Any]) -> None:
    box = spread.connect(*args, **keywords)
    assert box.private_group in ("#kw#localhost",)
    box.disconnect()


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        (("", "a", 0, 1, 2), {}),
        (("", "a"), {"name": "b"}),
        ((), {"name": "a", "private_name": "b"}),
        ((), {"nickname": "a"}),
        ((1,), {}),
        ((), {"name": 5}),
        ((), {"priority": "high"}),
        ((), {"membership": None}),
    ],
)
def test_connect_rejects_wrong_arguments(args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        spread.connect(*args, **keywords)


@pytest.mark.usefixtures("here")
def test_bytes_in_bytes_out() -> None:
    box = spread.connect(private_name=b"bytes", membership=1)
    assert box.private_group == b"#bytes#localhost"
    box.join(b"g")
    view = box.receive()
    assert isinstance(view, spread.MembershipMsgType)
    assert (view.group, view.members, view.extra) == (b"g", (b"#bytes#localhost",), (b"#bytes#localhost",))
    box.multicast(spread.SAFE_MESS, b"g", b"\xff")
    message = box.receive()
    assert isinstance(message, spread.RegularMsgType)
    assert (message.sender, message.groups, message.message) == (b"#bytes#localhost", (b"g",), b"\xff")
    box.multicast(spread.SAFE_MESS, "g", "text")
    message = box.receive()
    assert isinstance(message, spread.RegularMsgType)
    assert (message.groups, message.message) == (("g",), "text")
    box.disconnect()


@pytest.mark.parametrize(("mode", "expected"), [("bytes", (b"g", b"x")), ("text", ("g", "x"))])
@pytest.mark.usefixtures("here")
def test_the_environment_may_fix_it(
    mode: str, expected: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPREAD_CLIENT_TEXT", mode)
    box = spread.connect(membership=0)
    box.join("g")
    box.multicast(spread.SAFE_MESS, "g", b"x" if mode == "text" else "x")
    message = box.receive()
    assert isinstance(message, spread.RegularMsgType)
    assert (message.groups[0], message.message) == expected
    box.disconnect()


@pytest.mark.usefixtures("here")
def test_the_descriptor_is_readable_exactly_when_receive_will_not_block() -> None:
    box = spread.connect(membership=0)
    box.join("exact")
    box.fileno()
    chance = random.Random(1)
    waiting = 0
    for _ in range(300):
        if waiting == 0 or chance.random() < 0.5:
            box.multicast(spread.FIFO_MESS, "exact", "x")
            waiting += 1
            assert select.select([box], [], [], 10)[0]
        else:
            assert readable(box)
            box.receive()
            waiting -= 1
        # Sent messages arrive at once or shortly after; nothing else does.
        until(partial(says, box, waiting > 0), "what came")
    box.disconnect()


@pytest.mark.usefixtures("here", "no_thread_left")
def test_nothing_is_left_after_disconnect() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        box = spread.connect()
        box.join("g")
        box.fileno()
        box.receive()
        box.disconnect()
    until(lambda: len(os.listdir("/proc/self/fd")) <= before, "all descriptors closed")


@pytest.mark.parametrize(
    "end",
    ["", "import sys; sys.exit(3)", "raise RuntimeError", "del box", "import gc; l = [box]; l.append(l); del box, l"],
)
@pytest.mark.usefixtures("here")
def test_the_end_of_a_process_is_a_goodbye(end: str) -> None:
    watcher = spread.connect()
    watcher.join("brief")
    program = "import spread\ndef main():\n    box = spread.connect()\n    box.join('brief')\n    box.receive()\n    "
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", f"{program}{end}\nmain()\n"]
    subprocess.run(command, env=environment, capture_output=True, timeout=30)
    reasons = [spread.CAUSED_BY_JOIN, spread.CAUSED_BY_JOIN, spread.CAUSED_BY_DISCONNECT]
    for reason in reasons:
        assert select.select([watcher], [], [], 5)[0], "not said"
        message = watcher.receive()
        assert isinstance(message, spread.MembershipMsgType) and message.reason == reason
    watcher.disconnect()


@pytest.mark.usefixtures("here")
def test_disconnect_ends_a_waiting_receive() -> None:
    box = spread.connect(membership=0)
    failures: list[tuple[object, ...]] = []

    def receive() -> None:
        try:
            box.receive()
        except spread.SpreadError as error:
            failures.append(error.args)

    thread = threading.Thread(target=receive)
    thread.start()
    until(lambda: box._mailbox._inbox._waiting, "the thread to wait")
    box.disconnect()
    thread.join(10)
    assert [args[0] for args in failures] == [spread.CONNECTION_CLOSED]
    with pytest.raises(spread.SpreadError, match=r"^receive\(\) called on closed mbox$"):
        box.receive()


def test_a_sidecar_that_is_not_there_is_a_daemon_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", "127.0.0.1:1")
    with pytest.raises(spread.SpreadError) as caught:
        spread.connect()
    assert caught.value.args[0] == spread.COULD_NOT_CONNECT
    assert isinstance(caught.value.sidecar_error, spread_sidecar.SpreadError)
    assert caught.value.sidecar_error.reason == "SIDECAR_UNREACHABLE"


def test_a_malformed_target_of_the_environment_is_reported_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TARGET", "http://sidecar")
    for call in (spread.connect, spread.version):
        with pytest.raises(spread.SpreadError, match='SPREAD_SIDECAR_TARGET "http://sidecar" has the unsupported scheme'):
            call()


#: Programs that do not catch their error, and the text of that error.
UNCAUGHT = [
    ("os.environ['SPREAD_SIDECAR_TARGET'] = '127.0.0.1:1'; spread.connect()", "cannot be reached"),
    ("os.environ['SPREAD_SIDECAR_TARGET'] = 'http://sidecar'; spread.version()", "SPREAD_SIDECAR_TARGET"),
    ("os.environ['SPREAD_SIDECAR_TLS_CA'] = '/nothing.pem'; spread.connect()", "/nothing.pem"),
    ("os.environ['SPREAD_SIDECAR_TOKEN_FILE'] = '/nothing'; spread.connect()", "SPREAD_SIDECAR_TOKEN_FILE"),
    ("spread.connect().join('a group')", "illegal byte"),
    ("spread.connect().multicast(0, '', b'')", "Illegal service"),
    ("box = spread.connect(); box.disconnect(); box.receive()", "receive() called on closed mbox"),
    ("box = spread.connect(); box._mailbox.disconnect(); box.receive()", "the mailbox is disconnected"),
    ("box = spread.connect(); box._mailbox.disconnect(); box.leave('g')", "-11"),
    ("box = spread.connect(); box._mailbox.disconnect(); box.multicast(2, 'g', b''); box.leave('g')", "-8"),
]


@pytest.mark.parametrize(("statements", "text"), UNCAUGHT, ids=[text for _, text in UNCAUGHT])
@pytest.mark.usefixtures("here")
def test_an_error_that_is_not_caught_prints_one_traceback(statements: str, text: str) -> None:
    program = f"import os, spread; {statements}"
    failed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert text in failed.stderr
    assert failed.stderr.count("Traceback") == 1, failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("spread._errors.SpreadError")


def test_a_file_that_the_environment_names_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPREAD_SIDECAR_TLS_CA", str(tmp_path / "nothing.pem"))
    with pytest.raises(spread.SpreadError, match="SPREAD_SIDECAR_TLS_CA must be the path of a readable PEM file"):
        spread.connect()


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("set the option tls if the sidecar uses TLS", "set SPREAD_SIDECAR_TLS if the sidecar uses TLS"),
        (
            "set the expected certificate authority or server name with the option tls",
            "set the expected certificate authority or server name with SPREAD_SIDECAR_TLS_CA or SPREAD_SIDECAR_TLS_SERVER_NAME",
        ),
    ],
)
def test_a_hint_names_the_variable_instead_of_the_option(hint: str, expected: str) -> None:
    error = spread_sidecar.SpreadError(hint, status="UNAVAILABLE", reason="SIDECAR_UNREACHABLE")
    assert expected in str(spread_errors.of_connect(error))
