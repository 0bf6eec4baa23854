"""The conformance driver: see test/conformance/README.md. ``--aio`` selects the asyncio API; the default is the
blocking API.
"""

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
