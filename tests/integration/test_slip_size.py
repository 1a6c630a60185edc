"""Large slips need little memory: one with 200,000 resources is checked in less than the size of its document.

The time is printed (`pytest -s`), not judged: it says more of the machine than of the code.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESOURCES = 200_000
MOST = 200 * 1024 * 1024
LINE = (
    '<resource path="lecture-notes/part-{1:04d}/some-longer-folder-name/lecture_{0:06d}.pdf" kind="file" type="application/pdf" uid="{0:032x}"'
    ' title="Lecture number {0}, with notes &amp; more" order="{0}" size="{0}" digest="sha256:{0:064x}" modified="2019-09-25T17:47:34Z"'
    ' etag="&quot;{0:x}-abcdef&quot;" href="/files/{0}"/>\n'
)

CHECK = """
import sys, time
started = time.process_time()
from packageslip import check_slip
with open(sys.argv[1], "rb") as stream:
    faults = check_slip(stream, sys.argv[1])
seconds = time.process_time() - started
# Not ru_maxrss: a child begins with that of its parent.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(faults), int(peak) * 1024, seconds)
"""


def measured(document: Path) -> tuple[int, int, float]:
    """Faults, bytes and seconds of the processor, in a fresh process: memory that others used here does not count."""
    ran = subprocess.run([sys.executable, "-c", CHECK, str(document)], capture_output=True, text=True, check=True, cwd=ROOT)
    faults, memory, seconds = ran.stdout.split()
    return int(faults), int(memory), float(seconds)


def test_a_slip_with_200000_resources_is_checked_in_less_than_200_mb(tmp_path: Path) -> None:
    document = tmp_path / "large.xml"
    with document.open("w") as stream:
        stream.write(f'<packageslip xmlns="urn:slipway:packageslip:1" url="/large">\n<resources count="{RESOURCES}">\n')
        stream.writelines(LINE.format(number, number // 500) for number in range(RESOURCES))
        stream.write("</resources>\n</packageslip>\n")
    faults, memory, seconds = measured(document)
    print(f"{RESOURCES} resources, {document.stat().st_size >> 20} MiB: {seconds:.2f} s, {memory >> 20} MiB")
    assert faults == 0
    assert memory < MOST
