"""A relay on loopback that makes a distance of a server: every byte arrives half a round trip later.

A process of its own, so that neither what is measured nor the server shares an interpreter with it. The connection
itself stands at once on loopback; the round trips that its handshakes would take (of TCP and of TLS 1.3) are added to
the first bytes instead.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

_BLOCK = 256 * 2**10


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, first: float) -> None:
    """Pass on what comes, each block `delay` seconds after it came; the first one `first` seconds later still."""
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            due, block = await blocks.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not block:
                break
            writer.write(block)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()

    sending = asyncio.create_task(send())
    with suppress(OSError):
        while block := await reader.read(_BLOCK):
            blocks.put_nowait((loop.time() + delay + first, block))
            first = 0.0
    blocks.put_nowait((loop.time() + delay + first, b""))
    with suppress(OSError):
        await sending


async def _relay(port: int, round_trip: float) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = (_carry(reader, back, round_trip / 2, 2 * round_trip), _carry(there, writer, round_trip / 2, 0.0))
        with suppress(asyncio.CancelledError):  # the relay ends while the line is open
            await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, back):
            end.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def _serve(round_trip: float, ports: list[int]) -> None:
    servers = [await _relay(port, round_trip) for port in ports]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    # Its end is the end of its standard input: it never outlives who started it.
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
