"""How much is under way to a program on a server."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from targets.sftp.bounds import NEAR, UNDER_WAY, spare

OPENSSH = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"


@pytest.mark.parametrize(
    ("version", "takes", "round_trip", "under_way"),
    [
        (OPENSSH, 2 * UNDER_WAY, NEAR / 2, UNDER_WAY),
        (OPENSSH, 2 * UNDER_WAY, NEAR, 2 * UNDER_WAY),
        (OPENSSH, UNDER_WAY // 2, NEAR / 2, UNDER_WAY // 2),
        ("SSH-2.0-AsyncSSH_2.14.0", 2 * UNDER_WAY, NEAR / 2, 2 * UNDER_WAY),
        ("SSH-2.0-not_OpenSSH_1", 2 * UNDER_WAY, NEAR / 2, 2 * UNDER_WAY),
    ],
    ids=["near", "far", "a server that takes less", "another server", "one that only speaks of it"],
)
def test_a_near_openssh_has_less_to_hold_than_it_would_take(version: str, takes: int, round_trip: float, under_way: int) -> None:
    channel: Any = SimpleNamespace(
        out_window_size=takes, lock=threading.Lock(), transport=SimpleNamespace(remote_version=version)
    )
    spare(channel, round_trip)
    assert channel.out_window_size == under_way
