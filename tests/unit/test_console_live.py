"""How open pages learn that something changed: one look a second while somebody listens, and none while nobody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from console.live import BACKLOG, RETRY, Listener, Live, topics
from database import DatabaseUnavailable, Pulse

CALM = Pulse(events=frozenset({9, 10}), row=5, said=3, progress={4: "12:00:00"}, engines=frozenset({("a", "STAGING")}))


class Script:
    """Pulses as a test hands them in; the last one stays."""

    def __init__(self, *pulses: Pulse | Exception) -> None:
        self.pulses = list(pulses)
        self.looks = 0

    def now(self) -> Pulse:
        self.looks += 1
        found = self.pulses.pop(0) if len(self.pulses) > 1 else self.pulses[0]
        if isinstance(found, Exception):
            raise found
        return found

    def changed(self, before: Pulse, after: Pulse) -> list[int]:
        assert before.events < after.events
        return [7, 9]


def test_each_change_has_the_names_that_pages_know() -> None:
    assert topics(CALM, CALM, []) == set()
    assert topics(CALM, replace(CALM, events=frozenset({8, 9, 10})), [7]) == {"queue", "overview", "task-7"}
    assert topics(CALM, replace(CALM, row=6), []) == {"queue", "overview"}
    assert topics(CALM, replace(CALM, said=4), []) == {"queue", "overview"}
    assert topics(CALM, replace(CALM, progress={4: "12:00:01"}), []) == {"overview", "task-4"}
    assert topics(CALM, replace(CALM, progress={}), []) == {"overview", "task-4"}
    assert topics(CALM, replace(CALM, engines=frozenset()), []) == {"overview"}
    assert topics(CALM, replace(CALM, breakers=frozenset({("staging", 1)})), []) == {"overview"}


def test_a_slow_listener_misses_tasks_but_never_that_the_whole_changed() -> None:
    listener = Listener()
    listener.tell({f"task-{number}" for number in range(BACKLOG)})
    listener.tell({"task-9999", "queue"})
    assert "queue" in listener.waiting
    assert "task-9999" not in listener.waiting


async def first(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await asyncio.wait_for(anext(stream), 30) for _ in range(count)]


def test_every_listener_is_told_by_one_look_and_nobody_looks_for_nobody() -> None:
    script = Script(CALM, CALM, replace(CALM, events=frozenset({9, 10, 12}), progress={4: "12:00:01"}))
    live = Live(script, every=0.01)  # type: ignore[arg-type]

    async def listen() -> list[list[bytes]]:
        async with aclosing(live.stream()) as one, aclosing(live.stream()) as two:
            heard = list(await asyncio.gather(first(one, 2), first(two, 2)))
        looks = script.looks
        await asyncio.sleep(0.1)
        # At most the look that was under way.
        assert script.looks <= looks + 1
        return heard

    for beginning, told in asyncio.run(listen()):
        assert beginning == RETRY
        assert told == b"".join(
            b"event: %s\ndata: %s\n\n" % (topic, topic) for topic in (b"overview", b"queue", b"task-4", b"task-7", b"task-9")
        )


def test_neither_an_outage_of_the_database_nor_a_fault_ends_a_stream() -> None:
    script = Script(CALM, DatabaseUnavailable("down"), RuntimeError("a fault"), replace(CALM, row=6))
    live = Live(script, every=0.01)  # type: ignore[arg-type]

    async def listen() -> bytes:
        async with aclosing(live.stream()) as stream:
            return (await first(stream, 2))[1]

    assert b"event: queue" in asyncio.run(listen())


def test_silence_is_filled_so_that_no_proxy_cuts_it() -> None:
    live = Live(Script(CALM), every=0.001)  # type: ignore[arg-type]

    async def listen() -> bytes:
        async with aclosing(live.stream(keep_alive=0.01)) as stream:
            return (await first(stream, 2))[1]

    assert asyncio.run(listen()) == b": still here\n\n"


def test_every_stream_ends_with_the_console() -> None:
    live = Live(Script(CALM), every=0.01)  # type: ignore[arg-type]

    async def listen() -> list[bytes]:
        stream = live.stream()
        heard = await first(stream, 1)
        live.stop()
        return heard + [part async for part in stream]

    assert asyncio.run(listen()) == [RETRY]


def test_a_stream_ends_in_time_so_that_who_was_signed_out_gets_no_next_one() -> None:
    live = Live(Script(CALM), every=0.001)  # type: ignore[arg-type]

    async def watch() -> list[bytes]:
        return [part async for part in live.stream(lasts=0.0)]

    assert len(asyncio.run(asyncio.wait_for(watch(), 30))) == 1
