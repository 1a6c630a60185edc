"""A file that became a module of its own belongs to that module, whatever the slip above it said before."""

from packageslip import ITSELF
from support.claims import TestQueue
from support.releases import publish, unpublish
from targets import MemoryDisk, MemoryFiles, OrderedTarget


def test_a_file_that_is_a_module_now_is_not_dropped_by_the_module_above() -> None:
    files, queue = MemoryFiles(), TestQueue()
    target = OrderedTarget("t", MemoryDisk(files))
    publish(target, "/rss", {"index.htm": b"feeds", "news.xml": b"<rss/>"}, queue.claim())
    publish(target, "/rss/news.xml", {ITSELF: b"<rss/>"}, queue.claim())
    publish(target, "/rss", {"index.htm": b"feeds"}, queue.claim())
    assert files.tree()["rss/news.xml"] == b"<rss/>"
    unpublish(target, "/rss", queue.claim())
    assert files.tree()["rss/news.xml"] == b"<rss/>"
