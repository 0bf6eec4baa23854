"""The README's code is code that runs: of the examples, or of the tests below."""

from __future__ import annotations

import asyncio
import re
import textwrap
import threading
from pathlib import Path
from typing import Any, Iterable

import pytest

import spread_sidecar
from spread_sidecar import (
    AGREED_MESS,
    CONTENT_TYPE_HEADER,
    FIFO_MESS,
    REJECT_NOT_UNIQUE,
    Cancellation,
    IncomingRequest,
    Refusal,
    RegularMessage,
    SpreadError,
    TlsOptions,
    aio,
)

HOME = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```python\n(.*?)^```", (HOME / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def occurs(block: str, program: str) -> bool:
    wanted = [line for line in textwrap.dedent(block).splitlines() if line]
    given = [line for line in program.splitlines() if line]
    for start in range(len(given) - len(wanted) + 1):
        part = textwrap.dedent("\n".join(given[start : start + len(wanted)])).splitlines()
        if part == wanted:
            return True
    return False


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_every_block_is_cut_from_code_that_runs(block: str) -> None:
    sources = [*(HOME / "examples").glob("*.py"), Path(__file__)]
    assert any(occurs(block, source.read_text()) for source in sources)


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 8


def test_the_package_has_its_version() -> None:
    metadata = (HOME / "pyproject.toml").read_text()
    assert f'\nversion = "{spread_sidecar.__version__}"\n' in metadata


def test_several_mailboxes(target: str) -> None:
    real = spread_sidecar.SpreadSidecar

    def SpreadSidecar(target: str, real_target: str = target) -> Any:
        assert target.startswith("unix:")
        return real(target=real_target)

    with SpreadSidecar(target="unix:/run/spread-sidecar/grpc.sock") as sidecar:
        sidecar.wait_for_ready(timeout=10, daemon=True)
        alice = sidecar.connect(private_name="alice", on_name_conflict="SUFFIX", lease=60)
        bob = sidecar.connect(private_name="bob", on_name_conflict="SUFFIX")
        assert (alice.limits.lease, bob.private_group[:5]) == (60, "#bob#")


def test_asyncio(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with aio.SpreadSidecar(target=target) as sidecar:
            async with sidecar.connect(private_name="carol", on_name_conflict="SUFFIX") as mailbox:
                await mailbox.join("greetings", await_view=True)
                await mailbox.multicast(AGREED_MESS, "greetings", b"hello")
                async for event in mailbox:
                    print(event.kind)
                    if event.kind == "regular":
                        break

    asyncio.run(main())
    assert capsys.readouterr().out.splitlines()[-1] == "regular"


def test_tls_and_tokens(tmp_path: Path) -> None:
    class SpreadSidecar(spread_sidecar.SpreadSidecar):
        """Created but not used: it connects at the first call."""

    def Path(name: str) -> Any:
        file = tmp_path / name.lstrip("/").replace("/", "-")
        file.write_text("a file of the reader's")
        return file

    sidecar = SpreadSidecar(
        target="sidecar.example:4813",
        tls=TlsOptions(
            ca=Path("ca.pem").read_bytes(),
            cert=Path("tls.crt").read_bytes(),
            key=Path("tls.key").read_bytes(),
        ),
        token=lambda: Path("/run/secrets/token").read_text(),  # called before each call; can also be a str
    )
    sidecar.close()


def test_cancelling(target: str) -> None:
    with spread_sidecar.connect(target=target) as mailbox:
        stop = Cancellation()
        threading.Timer(0.1, stop.cancel).start()
        try:
            mailbox.receive(cancel=stop)
        except SpreadError as error:
            assert error.status == "CANCELLED"
        else:
            raise AssertionError


def test_resuming(target: str) -> None:
    with spread_sidecar.SpreadSidecar(target=target) as sidecar:
        mailbox = sidecar.connect()
        for number in range(2):
            mailbox.multicast(AGREED_MESS, mailbox.private_group, str(number))
        mailbox.receive(10)
        resumption = mailbox.detach()  # or remember mailbox.id and event.sequence
        # ... within the lease, in any process:
        again = sidecar.attach(resumption.mailbox_id, after_sequence=resumption.after_sequence)
        assert again.receive(10).sequence == 2


def test_sending_fast(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines: Iterable[str] = map(str, range(1000))
    with spread_sidecar.connect(target=target) as mailbox:
        refusals: list[Refusal] = []
        with mailbox.sender(on_refused=refusals.append) as sender:
            for line in lines:
                sender.send(FIFO_MESS, "greetings", line)  # waits only at the limit of messages in flight
            progress = sender.flush()  # waits until each message is accepted or rejected
        print(progress.sent, progress.accepted)
    assert capsys.readouterr().out == "1000 1000\n"
    assert refusals == []


def test_headers(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    with spread_sidecar.connect(target=target, membership=False) as mailbox:
        mailbox.join("greetings")
        mailbox.multicast(AGREED_MESS, "greetings", '{"n":1}', headers={CONTENT_TYPE_HEADER: "application/json"})
        for event in mailbox:
            if isinstance(event, RegularMessage):
                print(event.headers.get(CONTENT_TYPE_HEADER), event.text())
                break
    assert capsys.readouterr().out == 'application/json {"n":1}\n'


def test_requests_and_replies_in_asyncio(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def price(request: IncomingRequest) -> str:
        return f"{request.text()} costs 5 EUR"

    async def main() -> None:
        async with aio.SpreadSidecar(target=target) as sidecar:
            async with sidecar.open_request_reply() as calls:
                await calls.serve("prices", price)
                result = await calls.request("prices", "tea", timeout=10)
                print([reply.text() for reply in result.replies])

    asyncio.run(main())
    assert capsys.readouterr().out == "['tea costs 5 EUR']\n"


def test_a_name_that_is_taken(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    with spread_sidecar.SpreadSidecar(target=target) as sidecar:
        sidecar.connect(private_name="alice")
        try:
            sidecar.connect(private_name="alice")
        except SpreadError as error:
            if error.number != REJECT_NOT_UNIQUE:
                raise
            print("alice is taken:", error.message)
    assert capsys.readouterr().out.startswith("alice is taken:")
