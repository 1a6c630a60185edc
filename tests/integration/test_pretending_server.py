"""A server that says yes to bytes which it never stores is found when the target is probed, before anything is entrusted to it."""

from support import sftp_stub as stub
from support.sftp_stub import StartStub
from targets.disk import Call, Op
from targets.sftp import SftpDisk, wire


def test_a_server_that_never_stores_what_it_takes_is_no_target(start_stub: StartStub) -> None:
    disk = SftpDisk(start_stub(stub.pretend(wire.WRITE, None)).settings(), target="origin")
    disk.run([Call(Op.MKDIR, "scratch")])
    findings = {what: (works, remedy) for what, works, remedy in disk.probe("scratch")}
    assert findings["create a file"][0] is False
    assert "reading it again" in findings["create a file"][1]
    assert disk.list("scratch") == {}
    disk.close()
