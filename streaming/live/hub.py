"""The hub: one per process, on its event loop. It knows who watches which movie and tells them what is new.

Level-triggered: the movies that are watched are read every `POLL_S`, and a nudge only makes that sooner. One
read is under way at a time, whoever comes meanwhile shares the next one, and no viewer holds a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from streaming import watched
from streaming.live import nudges, reads
from streaming.live.news import Frame, Gone, News, turns_to_tell
from streaming.live.room import Refused, Room, fit_open_files
from streaming.live.viewer import Viewer

logger = logging.getLogger(__name__)
Found = TypeVar("Found")

POLL_S = 2.0
FIRST_READ_S = 8.0
"""How long a viewer waits for the first read of a movie before being told to come back."""


class _Feed:
    """One movie that is watched: what is known of it, and by whom it is watched."""

    __slots__ = ("asked_for", "movie_id", "settled", "snapshot", "viewers")

    def __init__(self, movie_id: int) -> None:
        self.movie_id = movie_id
        self.snapshot: Frame | None = None
        self.settled = asyncio.Event()
        self.viewers: set[Viewer] = set()
        self.asked_for = 0

    @property
    def seq(self) -> int | None:
        return self.snapshot.seq if self.snapshot else None


class Hub:
    """`watch` a movie; `drain` before the process ends. All of it is called on the event loop."""

    def __init__(self, *, redis: dict[str, Any], room: Room | None = None) -> None:
        self._redis = redis
        self._room = room or Room()
        self._feeds: dict[int, _Feed] = {}
        self._due: set[int] = set()
        self._wake = asyncio.Event()
        self._threads: ThreadPoolExecutor | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._replaying = asyncio.Semaphore(1)  # one of the two threads is always left to the poll
        self._all_due_at = 0.0
        self._polled_at = 0.0
        self._failing = False
        self._draining = False

    @property
    def open_streams(self) -> int:
        return self._room.taken

    @property
    def feed_lag_s(self) -> float:
        """The age of the last complete poll, in seconds: how late an event may be."""
        return asyncio.get_running_loop().time() - self._polled_at if self._tasks else 0.0

    def start(self) -> None:
        """Begin to poll and to listen, once; a server without lifespan gets here with the first viewer."""
        if self._tasks:
            return
        self._polled_at = asyncio.get_running_loop().time()
        self._room.total = fit_open_files(self._room.total)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="events")
        jobs = (
            self._poll_for_ever(),
            nudges.listen(self._redis, self),
            watched.tell(self._redis, self.watched),
        )
        self._tasks = [asyncio.create_task(job) for job in jobs]

    def drain(self) -> None:
        """End every stream, soon and properly, and open no more."""
        self._draining = True
        for feed in self._feeds.values():
            feed.settled.set()
            for viewer in feed.viewers:
                viewer.end()

    async def stop(self) -> None:
        self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def watched(self) -> list[int]:
        """The movies that somebody watches here."""
        return [movie_id for movie_id, feed in self._feeds.items() if feed.viewers]

    def look_at(self, movie_id: int) -> None:
        if movie_id in self._feeds:
            self._due.add(movie_id)
            self._wake.set()

    def look_at_all(self) -> None:
        self._all_due_at = 0.0
        self._wake.set()

    @asynccontextmanager
    async def watch(
        self, movie_id: int, *, address: str = "", last_seq: int | None = None
    ) -> AsyncIterator[Viewer]:
        """A viewer that is told what happens to the movie, from what came after the turn `last_seq`.

        Raises Refused: 404 when the public may not see the movie, 429 or 503 when there is no room, 503 while
        the database does not answer for a movie that nobody watches yet.
        """
        self.start()
        with self._room.place(address):
            feed = self._feeds.setdefault(movie_id, _Feed(movie_id))
            feed.asked_for += 1
            viewer = Viewer()
            try:
                snapshot = await self._first_read(feed)
                feed.viewers.add(viewer)
                viewer.greet(await self._greeting(movie_id, snapshot, last_seq))
                yield viewer
            finally:
                self._leave(feed, viewer)

    def _leave(self, feed: _Feed, viewer: Viewer) -> None:
        feed.viewers.discard(viewer)
        feed.asked_for -= 1
        if not feed.asked_for and self._feeds.get(feed.movie_id) is feed:
            del self._feeds[feed.movie_id]

    async def _first_read(self, feed: _Feed) -> Frame:
        if not feed.settled.is_set():
            self.look_at(feed.movie_id)
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_READ_S):
                    await feed.settled.wait()
        if self._draining:
            raise Refused(503, "The server is restarting.", retry_after_s=2)
        if not feed.settled.is_set():
            raise Refused(503, "The database does not answer. Please try again.", retry_after_s=5)
        if feed.snapshot is None:
            raise Refused(404, "There is no such movie.")
        return feed.snapshot

    async def _greeting(self, movie_id: int, snapshot: Frame, last_seq: int | None) -> Sequence[Frame]:
        """What brings a viewer from `last_seq` to the snapshot; its mailbox already has what came later."""
        if last_seq == snapshot.seq:
            return []
        if turns := turns_to_tell(last_seq, snapshot.seq):
            try:
                async with self._replaying:
                    missed = await self._in_thread(reads.read_turns, movie_id, turns)
            except Exception:
                logger.warning("the log does not answer, a snapshot has to do", exc_info=True)
            else:
                return missed or [snapshot]
        return [snapshot]

    async def _poll_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._all_due_at):
                    await self._wake.wait()
            self._wake.clear()
            everything = loop.time() >= self._all_due_at
            due = set(self._feeds) if everything else self._due & self._feeds.keys()
            self._due = set()
            if everything:
                self._all_due_at = loop.time() + POLL_S
            if await self._poll(due) and everything:
                self._polled_at = loop.time()

    async def _poll(self, movie_ids: set[int]) -> bool:
        """Read these movies and tell whom it concerns. If it fails, the next one finds out all the same."""
        known = {movie_id: self._feeds[movie_id].seq for movie_id in movie_ids}
        try:
            found = await self._in_thread(reads.read_news, known) if known else []
        except Exception:
            if not self._failing:
                logger.exception("the event feed cannot read the database; viewers stay, it tries again")
            self._failing = True
            return False
        if known and self._failing:
            logger.info("the event feed reads the database again")
            self._failing = False
        for news in found:
            self._tell(news)
        return True

    def _tell(self, news: News | Gone) -> None:
        feed = self._feeds.get(news.movie_id)
        if feed is None:
            return
        if isinstance(news, Gone):
            del self._feeds[news.movie_id]
            feed.snapshot = None
            for viewer in feed.viewers:
                viewer.end(reads.gone_frame(news.movie_id))
        else:
            feed.snapshot = news.snapshot
            for viewer in feed.viewers:
                viewer.tell(news)
        feed.settled.set()

    async def _in_thread(self, read: Callable[..., Found], *args: object) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, read, *args)
