"""A service of a group, and a request to its members: python prices.py [target]"""

import sys

from spread_sidecar import IncomingRequest, SpreadSidecar


def price(request: IncomingRequest) -> str:
    return f"{request.text()} costs 5 EUR"


def main(target: str) -> None:
    with SpreadSidecar(target=target) as sidecar:
        server = sidecar.open_request_reply()
        server.serve("prices", price, concurrency=4)

        client = sidecar.open_request_reply()
        result = client.request("prices", "tea", replies="all", timeout=10)
        for reply in result.replies:
            print(reply.error or reply.text())
        print("complete:", result.complete, "left:", result.left, "missing:", result.missing)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4813")
