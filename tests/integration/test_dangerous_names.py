"""A dangerous name is refused twice: when a slip is read, and by a target before its server hears of it."""

import uuid
from collections.abc import Iterator

import pytest

from packageslip import BadSlip, UnsafePath, read_slip
from support.claims import TestQueue
from support.releases import URL, slip_of
from support.sshd import Sshd
from support.target_kinds import PathTree
from targets import OrderedTarget, Target
from targets.sftp import SftpDisk

NAMES = {
    "N1": "notes/%2e%2e/%2e%2e/up.htm",
    "N2": "/etc/cron.d/up",
    "N3": "up.htm:stream",
    "N4": "up\0.htm",
    "N5": "up\n.htm",
    "N6": "notes\\up.htm",
    "N7": "notes//up.htm",
    "N8": "notes/nul.htm",
    "N9": "e\u0301.htm",
    "N11": "x" * 256,
    "N12": "/".join(["x" * 200] * 6),
    "N15": ".slipway/up.htm",
    "N16": "up\ud800.htm",
    "N17": "up\u202emth.htm",
}
UNSAYABLE = {"N4", "N16"}
"""No XML document can hold these at all."""


@pytest.fixture
def site(sshd: Sshd) -> Iterator[tuple[Target, PathTree]]:
    tree = PathTree(sshd.accounts[0].root)
    name = f"site-{uuid.uuid4().hex[:8]}"
    tree.make_folder(name)
    settings = sshd.settings(root=f"{sshd.accounts[0].remote_root}/{name}")
    target = OrderedTarget("sftp", SftpDisk(settings, target="sftp"))
    yield target, PathTree(tree.root / name)
    target.close()


@pytest.mark.parametrize("rule", sorted(NAMES.keys() - UNSAYABLE))
def test_a_slip_with_a_dangerous_name_is_refused(rule: str) -> None:
    said = NAMES[rule].replace("\n", "&#10;")
    document = f'<packageslip xmlns="urn:slipway:packageslip:1" url="/a"><resources count="1"><resource path="{said}"/></resources></packageslip>'
    with pytest.raises(BadSlip) as refused:
        read_slip(document.encode(), "slip")
    assert rule in {fault.rule for fault in refused.value.faults}


@pytest.mark.parametrize("rule", NAMES)
def test_a_dangerous_name_reaches_no_server(site: tuple[Target, PathTree], rule: str) -> None:
    target, tree = site
    present = target.present(URL, TestQueue().claim())
    before = tree.folders() | tree.files().keys()
    with pytest.raises(UnsafePath) as refused:
        target.release(present, slip_of(URL, {NAMES[rule]: b"x"}))
    assert refused.value.rule == rule
    assert tree.folders() | tree.files().keys() == before
