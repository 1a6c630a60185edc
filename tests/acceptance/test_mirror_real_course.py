"""A mirror of a real course: no relative link of it leads nowhere that led somewhere before."""

from pathlib import Path

from packageslip import build_slip
from support.bench import Bench, settings_of
from support.chromium import browse
from support.link_checker import broken_links

COURSE = "6-868j-spring-2007"


def test_a_mirror_of_a_real_course_breaks_no_link(real_course: Path, tmp_path: Path) -> None:
    root = tmp_path / "bench"
    root.mkdir()
    settings = settings_of(root)
    (root / "targets/mirror").mkdir()
    mirror = {"kind": "local", "root": str(root / "targets/mirror"), "area": str(root / "targets/area-of-mirror")}
    snapshot = {"site": ["http://ocw.mit.edu"], "modules": {"urls": [f"/courses/{COURSE}"]}}
    environment = {"source": "target:origin", "origin": "mirror", "default_action": "SNAPSHOT", "snapshot": snapshot}
    table = settings.model_dump(mode="json")
    table["targets"]["mirror"] = mirror | {"public_slip": False}
    table["environments"]["MIRROR"] = environment
    bench = Bench(root, type(settings).model_validate(table))
    url = f"/courses/{COURSE}"
    bench.site(url).parent.mkdir(parents=True)
    (real_course / COURSE).rename(bench.site(url))
    bench.put_slip(build_slip(bench.site(url), url))
    bench.well(url)
    view = bench.well("/", "MIRROR")
    published = dict(broken_links(bench.target("origin")))
    mirrored = list(broken_links(bench.target("mirror")))
    assert published, "its style sheets name images that the package does not have"
    assert mirrored == []
    report = view.attempts[-1].summary["mirror"]
    assert (report["modules"], report["files"], report["links"].get("broken", 0)) == (1, 258, 0)
    pages = list(bench.target("mirror").rglob("*.htm"))
    same = [
        path
        for path in pages
        if path.read_bytes() == (bench.site(url) / path.relative_to(bench.target("mirror") / url[1:])).read_bytes()
    ]
    assert len(same) == len(pages), "every link of its pages is relative or leads to the site already"
    printed = browse(bench.target("mirror") / url[1:] / "contents/index.htm", tmp_path / "profile", "--dump-dom")
    assert "The Society of Mind" in printed
    bench.close()
