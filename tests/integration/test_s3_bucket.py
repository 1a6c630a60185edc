"""What a bucket gets and serves: headers, parts, copies, probing, tidying, adoption. Against the emulator."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from packageslip import Kind, Packageslip, Resource, View, ViewKind
from support.claims import TestQueue, Ticket
from support.releases import FILES, URL, changed, digest, file_put, publish, slip_of, under, unpublish
from support.s3_server import PREFIX, OneBucket, S3Server
from targets import (
    AreaMissing,
    CorruptTransfer,
    Fenced,
    FilePut,
    GroupTarget,
    PermanentTargetError,
    TargetUnfit,
    TransientTargetError,
)
from targets.s3 import BucketTarget, Sizes

Open = Callable[..., BucketTarget]
SMALL = Sizes(part=1000, copied=1500)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def bucket(s3_server: S3Server) -> OneBucket:
    return s3_server.new_bucket()


@pytest.fixture
def open_bucket(bucket: OneBucket) -> Iterator[Open]:
    opened: list[BucketTarget] = []

    def open_one(sizes: Sizes | None = None, **settings: object) -> BucketTarget:
        opened.append(BucketTarget("s3", bucket.settings(**settings), bucket.secrets, sizes))
        return opened[-1]

    yield open_one
    for target in opened:
        target.close()


def put_all(target: BucketTarget, slip: Packageslip, contents: dict[str, bytes], claim: Ticket) -> None:
    present = target.present(slip.url, claim)
    with target.release(present, slip) as release:
        release.put([file_put(path, content, 1_234_567_890) for path, content in contents.items()])
        release.prepare()
        release.switch()


def lying(bucket: OneBucket, start: str = "") -> list[str]:
    return [key for key in bucket.listing() if key.startswith(start) and not key.endswith("/")]


def test_objects_are_served_with_the_type_of_the_slip(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    contents = {"course.zip": b"zip", "index.json": b"{}", "rss.xml": b"<rss/>"}
    line = {path: (len(content), digest(content)) for path, content in contents.items()}
    zipped = Resource("course.zip", Kind.FILE, "application/zip", *line["course.zip"])
    views = (View("index.json", ViewKind.JSON, None, *line["index.json"]), View("rss.xml", ViewKind.FEED, None, *line["rss.xml"]))
    target = open_bucket(cache_control="max-age=300")
    put_all(target, Packageslip(URL, (zipped,), views), contents, queue.claim())
    heads = {path: bucket.head(f"courses/physics/{path}") for path in [*contents, "packageslip.xml"]}
    assert [head["ContentType"] for head in heads.values()] == [
        "application/zip",
        "application/json",
        "application/rss+xml",
        "application/xml",
    ]
    assert {head["CacheControl"] for head in heads.values()} == {"max-age=300"}
    assert heads["course.zip"]["Metadata"] == {"sha256": digest(b"zip").hex(), "mtime": "1234567890"}


def test_only_what_is_published_gets_the_acl(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    # Not in parts: the emulator cannot answer for the ACL of such an object that has none.
    target = open_bucket(acl="public-read")
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        assert not any(is_public(bucket, path) for path in lying(bucket))
        release.switch()
    assert {path for path in lying(bucket) if is_public(bucket, path)} == {*under(URL, FILES), "courses/physics/packageslip.xml"}


def is_public(bucket: OneBucket, path: str) -> bool:
    grants = bucket.client.get_object_acl(Bucket=bucket.name, Key=f"{PREFIX}/{path}")["Grants"]
    return any(grant["Grantee"].get("URI", "").endswith("AllUsers") for grant in grants)


def test_big_files_go_in_parts_and_are_copied_in_parts(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    sizes = [999, 1000, 1001, 1500, 1501, 2000, 4711]
    contents = {f"f{size}": bytes(number % 251 for number in range(size)) for size in sizes}
    target = open_bucket(SMALL)
    put_all(target, slip_of(URL, contents), contents, queue.claim())
    assert {path: content for path, content in bucket.files().items() if "/f" in path} == under(URL, contents)
    head = bucket.head("courses/physics/f4711")
    assert head["Metadata"] == {"sha256": digest(contents["f4711"]).hex(), "mtime": "1234567890"}
    assert uploads(bucket) == []


def uploads(bucket: OneBucket) -> list[Any]:
    return list(bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []))


@pytest.mark.parametrize("given", [b"x" * 2999, b"x" * 3001, b"y" * 3000, b"x" * 9000])
def test_wrong_bytes_in_parts_leave_no_hidden_parts(open_bucket: Open, bucket: OneBucket, queue: TestQueue, given: bytes) -> None:
    target = open_bucket(SMALL)
    promised = b"x" * 3000
    present = target.present(URL, queue.claim())
    with (
        pytest.raises(CorruptTransfer),
        target.release(present, slip_of(URL, {"big": promised})) as release,
    ):
        release.put([FilePut("big", digest(promised), 3000, lambda: io.BytesIO(given))])
    assert uploads(bucket) == []
    assert lying(bucket, ".slipway") == [".slipway/modules-0123456789abcdef0123456789abcdef/modules/+courses+physics/holder"]


def test_what_reads_back_differently_is_corrupt(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket(verify="readback")
    present = target.present(URL, queue.claim())

    def rot(**_: object) -> None:
        for path in lying(bucket, ".slipway"):
            if not path.endswith("/holder"):
                bucket.write(path, b"rotten")

    with target.release(present, slip_of(URL, {"a": b"1"})) as release:
        release.put([file_put("a", b"1")])
        target._bucket.client.meta.events.register("after-call.s3.PutObject", rot)
        with pytest.raises(CorruptTransfer, match="read back"):
            release.put([file_put("a", b"1")])
        target._bucket.client.meta.events.unregister("after-call.s3.PutObject", rot)


def test_many_objects_are_listed_page_by_page(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    listing = target._bucket.client.list_objects_v2
    target._bucket.client.list_objects_v2 = lambda **given: listing(**{"MaxKeys": 2} | given)  # type: ignore[attr-defined]
    for url in ("/a", "/b", "/c"):
        publish(target, url, {"index.htm": url.encode(), "x": b"x"}, queue.claim())
    bucket.write("strange", b"s")
    assert [entry.url for entry in target.modules()] == ["/a", "/b", "/c"]
    assert list(target.unclaimed()) == ["strange"]


def test_a_probe_names_everything_that_publishing_needs(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    checks = open_bucket(SMALL, acl="public-read").probe()
    said = {check.what: check.outcome for check in checks}
    assert said["conditional writes are honoured"] == said["conditional removals are honoured"] == "ok"
    assert said["no queue manages it yet"] == "warning"
    assert said["the area cannot be read by everybody"] == "ok"
    open_bucket().adopt(queue.id)
    assert f"managed by the queue {queue.id}" in {check.what for check in open_bucket().probe()}
    bucket.write(".slipway/modules-other/modules/+x/slip.xml", b"")
    assert [check.outcome for check in open_bucket(conditional_writes=False).probe()][-2:] == ["warning", "failure"]


def test_an_area_that_everybody_can_read_is_warned_about(open_bucket: Open, bucket: OneBucket) -> None:
    target = open_bucket()
    publishing = {"ACL": "public-read"}

    def publish_all(params: dict[str, Any], **_: object) -> None:
        params.update(publishing)

    target._bucket.client.meta.events.register("provide-client-params.s3.PutObject", publish_all)
    assert ("warning", "everybody can read our/site/.slipway") in {(check.outcome, check.what) for check in target.probe()}


def test_a_probe_of_a_bucket_that_is_not_there_says_so(open_bucket: Open) -> None:
    [check] = open_bucket(bucket="nowhere").probe()
    assert check.outcome == "failure"
    assert "make the bucket, or correct its name" in check.remedy


def test_a_service_without_conditions_is_found_out(open_bucket: Open, bucket: OneBucket) -> None:
    target = open_bucket()

    def forget(params: dict[str, Any], **_: object) -> None:
        params["headers"].pop("If-Match", None)
        params["headers"].pop("If-None-Match", None)

    target._bucket.client.meta.events.register("before-call.s3", forget)
    checks = target.probe()
    assert checks[-1].outcome == "failure"
    assert "conditional_writes = false" in checks[-1].remedy
    assert lying(bucket) == []


def test_without_conditional_writes_it_works_and_still_refuses_a_stale_engine(
    open_bucket: Open, bucket: OneBucket, queue: TestQueue
) -> None:
    stale, newer = open_bucket(conditional_writes=False), open_bucket(conditional_writes=False)
    present = stale.present(URL, queue.claim())
    with stale.release(present, slip_of(URL, {"a": b"stale"})) as release:
        release.put([file_put("a", b"stale")])
        publish(newer, URL, FILES, queue.claim())
        with pytest.raises(Fenced):
            release.prepare()
    unpublish(newer, URL, queue.claim())
    assert lying(bucket, "courses") == []


def test_what_dead_engines_left_is_reaped(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    publish(target, URL, FILES, queue.claim())
    module = f".slipway/modules-{queue.id}/modules/+courses+physics"
    stale = f"{module}/{1:019d}.0000aaaa"
    bucket.write(f"{stale}/s:1", b"left")
    bucket.write(f"{stale}/s:2", b"left")
    bucket.write(".slipway/probe-12345678/one", b"left")
    dying = queue.claim()
    present = target.present("/other", dying)
    with pytest.raises(RuntimeError), target.release(present, slip_of("/other", FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        raise RuntimeError("dies")
    assert target.reap(3600) == 0
    # To the emulator every upload in parts began in 2010.
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"{PREFIX}/{stale}/s:3")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"{PREFIX}/theirs")
    assert target.reap(-1) == 3
    assert lying(bucket, f"{module}/") == [f"{module}/holder", f"{module}/slip.xml"]
    assert [upload["Key"] for upload in uploads(bucket)] == [f"{PREFIX}/theirs"]
    open_bucket().present("/other", queue.claim())
    assert set(under("/other", FILES)) <= set(lying(bucket))


def test_an_adopted_release_is_finished_by_the_new_queue(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    publish(target, "/calm", FILES, queue.claim())
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put(path, content) for path, content in FILES.items()])
        release.prepare()
    assert open_bucket().adopt("f" * 32) == queue.id
    found = open_bucket().present(URL, TestQueue("f" * 32).claim())
    assert found.recovered is not None
    assert set(under(URL, FILES)) <= set(lying(bucket))
    assert not lying(bucket, f".slipway/modules-{queue.id}")
    assert [entry.url for entry in open_bucket().modules()] == ["/calm", URL]


def test_areas_of_several_queues_are_for_a_person(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    publish(target, URL, FILES, queue.claim())
    bucket.write(".slipway/modules-other/modules/+x/slip.xml", b"")
    with pytest.raises(TargetUnfit, match="areas of 2 queues"):
        target.adopt(queue.id)
    with pytest.raises(AreaMissing, match="several queues"):
        open_bucket().slip(URL)
    assert target.slip(URL) is not None
    with pytest.raises(AreaMissing, match="managed by the queue other"):
        target.present("/new", queue.claim())


def test_of_two_queues_that_come_at_once_neither_gets_the_bucket(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    begun = f".slipway/modules-{queue.id}"

    def another(**_: object) -> None:
        bucket.write(".slipway/modules-other/modules/+x/holder", b"{}")

    target._bucket.client.meta.events.register("after-call.s3.PutObject", another)
    with pytest.raises(AreaMissing):
        target.present(URL, queue.claim())
    assert not [key for key in bucket.listing() if key.startswith(begun)]


def damage(bucket: OneBucket, ending: str, content: bytes | None) -> None:
    [path] = [path for path in bucket.listing() if path.endswith(ending)]
    if content is None:
        bucket.client.delete_object(Bucket=bucket.name, Key=f"{PREFIX}/{path}")
    else:
        bucket.write(path, content)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"tokn": "x"}', b'{"token": "x"}'])
def test_a_damaged_register_stops_for_a_person(open_bucket: Open, bucket: OneBucket, queue: TestQueue, content: bytes) -> None:
    target = open_bucket()
    publish(target, URL, FILES, queue.claim())
    damage(bucket, "/holder", content)
    with pytest.raises(PermanentTargetError, match="--repair"):
        target.present(URL, queue.claim())
    damage(bucket, "/holder", None)
    publish(target, URL, {"a": b"1"}, queue.claim())
    assert lying(bucket, "courses/physics/") == ["courses/physics/a", "courses/physics/packageslip.xml"]


@pytest.mark.parametrize(("ending", "content"), [("/next.xml", None), ("/next.xml", b"<cut"), (":slip", None), (":2", None)])
def test_a_prepared_release_that_lost_something_stops_for_a_person(
    open_bucket: Open, bucket: OneBucket, queue: TestQueue, ending: str, content: bytes | None
) -> None:
    target = open_bucket()
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put(path, content) for path, content in FILES.items()])
        release.prepare()
    damage(bucket, ending, content)
    with pytest.raises(PermanentTargetError, match="--repair"):
        target.present(URL, queue.claim())


def test_an_engine_of_a_queue_that_is_being_replaced_is_shut_out(open_bucket: Open, bucket: OneBucket, queue: TestQueue) -> None:
    target = open_bucket()
    publish(target, URL, FILES, queue.claim())
    [path] = [path for path in bucket.listing() if path.endswith("/holder")]
    bucket.write(path, json.dumps(json.loads(bucket.read(path)) | {"moved": "f" * 32}).encode())
    with pytest.raises(AreaMissing, match="being adopted"):
        target.present(URL, queue.claim())


def test_a_bucket_in_a_group_takes_its_release_back(s3_server: S3Server, queue: TestQueue) -> None:
    one, two = s3_server.new_bucket(), s3_server.new_bucket()
    first, second = BucketTarget("one", one.settings(), one.secrets), BucketTarget("two", two.settings(), two.secrets)
    group = GroupTarget("group", [first, second])
    present = group.present(URL, queue.claim())
    with pytest.raises(TransientTargetError), group.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        second._bucket.client.meta.events.register("before-send.s3.PutObject", refuse)
        release.prepare()
    assert not any("/s:" in path or path.endswith("next.xml") for path in lying(one))
    assert open_present(first, queue).recovered is None
    group.close()


def refuse(**_: object) -> None:
    raise TransientTargetError("not now", target="two")


def open_present(target: BucketTarget, queue: TestQueue) -> Any:
    return target.present(URL, queue.claim())
