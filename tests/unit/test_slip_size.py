"""Large slips need little memory: one with 200,000 resources is checked in far less than the size of its document."""

import subprocess
import sys
from pathlib import Path

from packageslip import Kind, Packageslip, Resource, on_target, write_slip_to

RESOURCES = 200_000
MOST = 200 * 1024 * 1024

CHECK = """
import sys, time
started = time.perf_counter()
from packageslip import check_slip
with open(sys.argv[1], "rb") as stream:
    faults = check_slip(stream, sys.argv[1])
seconds = time.perf_counter() - started
# Not ru_maxrss: a child begins with that of its parent.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(faults), int(peak) * 1024, seconds)
"""


def test_a_slip_with_200000_resources_is_checked_in_less_than_200_mb(tmp_path: Path) -> None:
    document = tmp_path / "large.xml"
    slip = Packageslip("/large", resources=tuple(large(number) for number in range(RESOURCES)))
    with document.open("wb") as stream:
        write_slip_to(on_target(slip, serial=1, queue="q"), stream)
    # A fresh process: memory that others used here does not count.
    ran = subprocess.run([sys.executable, "-c", CHECK, str(document)], capture_output=True, text=True, check=True, cwd=Path.cwd())
    faults, memory, seconds = ran.stdout.split()
    print(f"{RESOURCES} resources, {document.stat().st_size >> 20} MiB: {float(seconds):.2f} s, {int(memory) >> 20} MiB")
    assert faults == "0"
    assert int(memory) < MOST


def large(number: int) -> Resource:
    return Resource(
        f"lecture-notes/part-{number // 500:04d}/some-longer-folder-name/lecture_{number:06d}.pdf",
        Kind.FILE,
        "application/pdf",
        size=number,
        digest=number.to_bytes(32, "big"),
        modified=1569433654 + number,
        etag=f'"{number:x}-abcdef"',
        uid=f"{number:032x}",
        title=f"Lecture number {number}, with notes & more",
        order=number,
    )
