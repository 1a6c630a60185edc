"""The content store between processes, and on a disk that is really full."""

import subprocess
import sys
from pathlib import Path

from store import Store

KEEPING = """
import sys, time
from pathlib import Path
from store import Store
store = Store(Path(sys.argv[1]))
for number in range(300):
    with store.incoming() as incoming:
        incoming.write(b"%d" % (number % 50) * 1000)
        digest, _ = incoming.commit()
    with store.open(digest) as blob:
        assert blob.read(2) == (b"%d" % (number % 50) * 2)[:2]
"""

COLLECTING = """
import sys, time
from pathlib import Path
from store import Store
store = Store(Path(sys.argv[1]))
for _ in range(100):
    store.collect(lambda digest: digest[0] % 2 == 0, older_than=60, now=time.time())
    time.sleep(0.002)
"""

FULL = """
import resource, signal, sys
from pathlib import Path
from store import Store, StoreFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
store = Store(Path(sys.argv[1]))
try:
    with store.incoming() as incoming:
        for _ in range(10):
            incoming.write(b"x" * 30_000)
except StoreFull as error:
    print(error)
"""


def start(script: str, store: Store) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, str(store.root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_keep_and_collect_at_once_lose_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    processes = [start(script, store) for script in (KEEPING, KEEPING, COLLECTING)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    digests = list(store.digests())
    assert len(digests) == 50
    assert all(store.verify(digest) for digest in digests)
    assert list((store.root / "incoming").iterdir()) == []


def test_a_write_that_the_system_refuses_for_room_is_a_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    output, errors = start(FULL, store).communicate(timeout=60)
    assert "no room in the content store" in output, errors
    assert "slipway store gc" in output
    assert list((store.root / "incoming").iterdir()) == []
