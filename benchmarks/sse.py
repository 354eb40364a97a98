"""How fast a switch reaches the viewers of a movie: `python -m benchmarks.sse [clients] [switches]` (Linux).

A real web process, a real Valkey, and switches made by another process; all clients watch one movie.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from streaming.live.room import MAX_STREAMS_PER_ADDRESS, fit_open_files
from tests.streaming.live.stack import Stack

REQUEST = "GET /api/movies/{movie}/stream-events HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def client(
    stack: Stack, movie: int, number: int, ready: asyncio.Semaphore, delays_ms: list[float]
) -> None:
    """Watch, and note how long after its switch each event came."""
    source = f"127.1.{number // MAX_STREAMS_PER_ADDRESS}.1"
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port, local_addr=(source, 0))
    writer.write(REQUEST.format(movie=movie).encode())
    while line := await reader.readline():
        if not line.startswith(b"data: "):
            continue
        data = json.loads(line[6:])
        if "at" in data:
            delays_ms.append((time.time() - datetime.fromisoformat(data["at"]).timestamp()) * 1000)
        else:
            ready.release()


async def measure(stack: Stack, clients: int, switches: int) -> list[float]:
    movie, ready, delays_ms = stack.new_movie(), asyncio.Semaphore(0), []
    idle_kb = memory_kb(stack.web.pid)
    tasks = [asyncio.create_task(client(stack, movie, n, ready, delays_ms)) for n in range(clients)]
    for _ in range(clients):
        await ready.acquire()
    each = (memory_kb(stack.web.pid) - idle_kb) / clients
    print(f"{clients} clients, {each:.0f} kB each, {threads(stack.web.pid)} threads")  # noqa: T201
    for turn in range(switches):
        await asyncio.to_thread(stack.tell, "activate", movie, (1080, 720)[turn % 2])
        while len(delays_ms) < clients * (turn + 1):
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    return delays_ms


def memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def main(clients: int = 500, switches: int = 20) -> None:
    fit_open_files(clients)
    with (
        tempfile.TemporaryDirectory(prefix="marquee-sse-", dir="/tmp") as folder,
        Stack(Path(folder)) as stack,
    ):
        delays_ms = asyncio.run(measure(stack, clients, switches))
    centiles = statistics.quantiles(delays_ms, n=100)
    print(f"{len(delays_ms)} events: p50 {centiles[49]:.0f} ms, p99 {centiles[98]:.0f} ms after the switch")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
