"""Publications, as tests of the record make them."""

from database import Published, pack
from packageslip import Packageslip, Resource, on_target, write_slip
from support.queue import Queue


def slip(url: str, *files: tuple[str, bytes], serial: int = 1) -> bytes:
    resources = tuple(Resource(path, digest=digest, size=1) for path, digest in files)
    return write_slip(on_target(Packageslip(url, resources, title="A title"), serial=serial, queue="0" * 32))


def publish(queue: Queue, *published: Published) -> int:
    id_ = queue.ready("/task")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, published=published)
    queue.leases.leave(engine)
    return id_


def live(url: str, version: bytes = b"v", target: str = "staging", serial: int = 1) -> Published:
    return Published(
        target,
        url,
        serial,
        version * 32,
        pack([slip(url, ("a.htm", version * 32), serial=serial)]),
        "course",
        "A title",
        "published",
    )
