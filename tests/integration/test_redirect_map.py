"""The map of redirects, as a real nginx understands it."""

from collections.abc import Callable
from pathlib import Path

from support.nginx import Nginx
from tasks.maps import Move, nginx_map

LONG = "/courses/" + "x" * 200


def test_nginx_redirects_what_moved_and_says_what_is_gone(tmp_path: Path, nginx: Callable[[Path, Path], Nginx]) -> None:
    root = tmp_path / "site"
    (root / "courses/gone/inner").mkdir(parents=True)
    (root / "courses/gone/inner/index.htm").write_text("still here")
    moves = [
        Move("/courses/old", "/courses/new", slash=True),
        Move("/courses/old/deep", "/courses/deeper", slash=True),
        Move("/courses/gone"),
        Move("/also-gone"),
        Move("/old.xml", "/new.xml", whole=True),
        Move("/folder", "/file.xml", whole=True),
        Move('/odd/a b"{é}$;(x)', '/even/a b"{é}$;(x)', slash=True),
        Move("/to-root", "/", slash=True),
        Move(LONG, LONG + "y", slash=True),
    ]
    redirects = tmp_path / "redirects.map"
    redirects.write_bytes(nginx_map(moves, {"/courses/gone/inner", "/courses/new", "/"}))
    server = nginx(root, redirects)
    expected = {
        "/courses/old": (301, "/courses/new/"),
        "/courses/old/": (301, "/courses/new/"),
        "/courses/old/week-1/index.htm?x=1": (301, "/courses/new/week-1/index.htm?x=1"),
        "/courses/old/deep/l.pdf": (301, "/courses/deeper/l.pdf"),
        "/courses/old/a%20b.htm": (301, "/courses/new/"),
        "/courses/old/%0d%0aSet-Cookie:%20x": (301, "/courses/new/"),
        "/courses/older": (404, ""),
        "/courses/gone": (301, "/courses/gone/"),
        "/courses/gone/inner": (301, "/courses/gone/inner/"),
        "/also-gone": (410, ""),
        "/also-gone/": (410, ""),
        "/courses/gone/x/y.pdf": (410, ""),
        "/courses/gone/inner/": (200, ""),
        "/courses/gone/inner/none.htm": (404, ""),
        "/old.xml": (301, "/new.xml"),
        "/folder/page.htm": (301, "/file.xml"),
        "/odd/a%20b%22%7B%C3%A9%7D$;(x)/p.htm": (301, "/even/a%20b%22%7B%C3%A9%7D%24;(x)/p.htm"),
        "/to-root/page.htm": (301, "/page.htm"),
        "/to-root": (301, "/"),
        f"{LONG}/page.htm": (301, f"{LONG}y/page.htm"),
        "/none": (404, ""),
        "/redirects.map": (404, ""),
    }
    assert {path: server.get(path) for path in expected} == expected


def test_an_empty_map_is_a_map(tmp_path: Path, nginx: Callable[[Path, Path], Nginx]) -> None:
    redirects = tmp_path / "redirects.map"
    redirects.write_bytes(nginx_map([], []))
    assert nginx(tmp_path, redirects).get("/x") == (404, "")
