"""An engine whose line to MariaDB is cut, reset or silent, anywhere and either way: the task ends once, and nothing is lost.

No test spoils a byte here: without TLS nothing in MariaDB's protocol would notice, as a queue's URL without `ssl` accepts.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from unittest import mock

import pytest
import structlog

from database import DatabaseUnavailable, connection
from reliability.fail_sweep import impatient
from support.mariadb import Server
from support.sweep_places import MariaWorld
from support.sweep_world import CHANGE, Seen
from support.tcp_proxy import Fault, How, TcpProxy, Way


@dataclass(frozen=True, slots=True)
class Line:
    """A world whose queue is behind a bad line, what an undisturbed run leaves, and the bytes that it takes each way."""

    proxy: TcpProxy
    world: MariaWorld
    expected: Seen
    length: dict[Way, int]

    def suffer(self, fault: Fault, connections: int) -> None:
        """So many connections meet this fault; afterwards all must be as if nothing had been."""
        self.proxy.mend()
        self.world.reset()
        struck = self.proxy.struck
        self.proxy.strike(fault, times=connections)
        said = "it does not answer"
        with closing(self.world.database):
            try:
                self.world.run()
            except DatabaseUnavailable as error:
                # The engine gives up, as a real one does after a while, and another one is started.
                said = str(error)
                self.proxy.mend()
                self.world.bury()
        assert "does not answer" in said
        assert self.proxy.struck > struck, "no connection came so far"
        self.world.run()
        assert self.world.seen() == self.expected


@pytest.fixture(scope="module")
def line(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with (
        impatient(),
        mock.patch.object(connection, "READ_TIMEOUT", 1),
        TcpProxy(mariadb_server.port) as proxy,
    ):
        world = MariaWorld(tmp_path_factory.mktemp("world"), CHANGE, {}, Server(proxy.port, mariadb_server.socket))
        world.reset()
        before = len(proxy.talks)
        world.run()
        busiest = {way: max(talk.taken[way] for talk in proxy.talks[before:]) for way in Way}
        yield Line(proxy, world, world.seen(), busiest)
    structlog.reset_defaults()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(("how", "share"), [(How.CUT, 0.1), (How.CUT, 0.5), (How.CUT, 0.8), (How.RESET, 0.5)])
def test_a_cut_is_a_pause(line: Line, how: How, share: float, way: Way) -> None:
    line.suffer(Fault(how, int(share * line.length[way]), way), connections=2)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_no_connection_can_be_made_for_a_while(line: Line, share: float) -> None:
    """Each connection is gone after its greeting, or as soon as it is there."""
    line.suffer(Fault(How.RESET, int(share * 200), Way.TO_SERVER), connections=6)


@pytest.mark.parametrize("how", [How.SILENCE, How.HALF_OPEN])
def test_silence_ends_with_the_time_out(line: Line, how: How) -> None:
    line.suffer(Fault(how, int(0.6 * line.length[Way.TO_SERVER])), connections=2)
