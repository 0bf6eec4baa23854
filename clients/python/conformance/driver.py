"""The conformance driver: test/conformance/README.md. With ``--aio`` on the asyncio API, else on the blocking one."""

from __future__ import annotations

import sys


def main() -> None:
    if "--aio" in sys.argv[1:]:
        from aio_driver import run
    else:
        from sync_driver import run
    run()


if __name__ == "__main__":
    main()
