"""A small form of `make corruption`, and what must not escape it."""

import random
from pathlib import Path

import pytest

from reliability.corruption import LocalCase, SftpCase, StreamCase, Tally, corrupt
from support.sftp_faults import Fault

CONTENT = b"content " * 100


@pytest.mark.timeout(900)
def test_whatever_is_spoiled_on_its_way_is_noticed(tmp_path: Path) -> None:
    tally = corrupt(tmp_path, random.Random(), 1300)
    assert not tally.violations
    assert tally.faults >= 1000
    assert tally.noticed.total() > tally.faults / 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("request", 1, "flip", byte=60, mask=4),
        Fault("request", 1, "pretend"),
        Fault("request", 2, "short"),
        Fault("request", 1, "flip", byte=20, mask=64),
    ],
    ids=[
        "a flipped bit",
        "a write that is acknowledged and not stored",
        "a write that is cut short",
        "a write at a wrong place, which makes a file of terabytes",
    ],
)
def test_bytes_that_the_server_lies_about_are_noticed_by_reading_back_alone(tmp_path: Path, fault: Fault) -> None:
    for read_back in (True, False):
        folder = tmp_path / str(read_back)
        folder.mkdir()
        case, tally = SftpCase(folder, CONTENT, read_back=read_back), Tally()
        case.strike(fault, tally)
        case.close()
        assert (tally.noticed.total(), len(tally.violations)) == ((1, 0) if read_back else (0, 1))


@pytest.mark.parametrize("fault", [Fault("request", 0, "flip", byte=200, mask=4), Fault("request", 0, "pretend")])
def test_bytes_that_a_streams_server_lies_about_are_noticed_by_reading_back_alone(tmp_path: Path, fault: Fault) -> None:
    for read_back in (True, False):
        folder = tmp_path / str(read_back)
        folder.mkdir()
        case, tally = StreamCase(folder, CONTENT, read_back=read_back), Tally()
        case.strike(fault, tally)
        case.close()
        assert (tally.noticed.total(), len(tally.violations)) == ((1, 0) if read_back else (0, 1))


def test_a_bit_that_a_local_disk_flips_is_noticed_by_reading_back(tmp_path: Path) -> None:
    tally = Tally()
    LocalCase(tmp_path, CONTENT).strike(Fault("request", 0, "flip", byte=700, mask=1), tally)
    assert tally.noticed == {"CorruptTransfer": 1}


def test_a_fault_that_was_never_produced_is_a_violation(tmp_path: Path) -> None:
    case, tally = SftpCase(tmp_path, CONTENT, read_back=False), Tally()
    case.strike(Fault("reply", 999, "drop"), tally)
    case.close()
    assert tally.violations
