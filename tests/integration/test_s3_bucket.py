"""What a bucket gets and serves: headers, parts, copies, probing, tidying, adoption. Against the emulator."""

# The errors that matter here come at one step of a release, inside its `with` block.

import io
from typing import Any

import pytest

from packageslip import Kind, Packageslip, Resource, View, ViewKind
from support.claims import TestQueue, Ticket
from support.releases import FILES, URL, changed, digest, file_put, publish, slip_of, under, unpublish
from support.s3_server import PREFIX, OneBucket, OpenBucket, lying, uploads
from targets import (
    CorruptTransfer,
    Fenced,
    FilePut,
)
from targets.s3 import BucketTarget, Sizes

SMALL = Sizes(part=1000, copied=1500)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def put_all(target: BucketTarget, slip: Packageslip, contents: dict[str, bytes], claim: Ticket) -> None:
    present = target.present(slip.url, claim)
    with target.release(present, slip) as release:
        release.put([file_put(path, content, 1_234_567_890) for path, content in contents.items()])
        release.prepare()
        release.switch()


def test_objects_are_served_with_the_type_of_the_slip(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    contents = {"course.zip": b"zip", "index.json": b"{}", "rss.xml": b"<rss/>"}
    line = {path: (len(content), digest(content)) for path, content in contents.items()}
    zipped = Resource("course.zip", Kind.FILE, "application/zip", *line["course.zip"])
    views = (View("index.json", ViewKind.JSON, None, *line["index.json"]), View("rss.xml", ViewKind.FEED, None, *line["rss.xml"]))
    target = open_s3(cache_control="max-age=300")
    put_all(target, Packageslip(URL, (zipped,), views), contents, queue.claim())
    heads = {path: s3_bucket.head(f"courses/physics/{path}") for path in [*contents, "packageslip.xml"]}
    assert [head["ContentType"] for head in heads.values()] == [
        "application/zip",
        "application/json",
        "application/rss+xml",
        "application/xml",
    ]
    assert {head["CacheControl"] for head in heads.values()} == {"max-age=300"}
    assert heads["course.zip"]["Metadata"] == {"sha256": digest(b"zip").hex(), "mtime": "1234567890"}


def test_only_what_is_published_gets_the_acl(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    # Not in parts: the emulator cannot answer for the ACL of such an object that has none.
    target = open_s3(acl="public-read")
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        assert not any(is_public(s3_bucket, path) for path in lying(s3_bucket))
        release.switch()
    assert {path for path in lying(s3_bucket) if is_public(s3_bucket, path)} == {
        *under(URL, FILES),
        "courses/physics/packageslip.xml",
    }


def is_public(s3_bucket: OneBucket, path: str) -> bool:
    grants = s3_bucket.client.get_object_acl(Bucket=s3_bucket.name, Key=f"{PREFIX}/{path}")["Grants"]
    return any(grant["Grantee"].get("URI", "").endswith("AllUsers") for grant in grants)


def test_big_files_go_in_parts_and_are_copied_in_parts(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    sizes = [999, 1000, 1001, 1500, 1501, 2000, 4711]
    contents = {f"f{size}": bytes(number % 251 for number in range(size)) for size in sizes}
    target = open_s3(SMALL)
    put_all(target, slip_of(URL, contents), contents, queue.claim())
    assert {path: content for path, content in s3_bucket.files().items() if "/f" in path} == under(URL, contents)
    head = s3_bucket.head("courses/physics/f4711")
    assert head["Metadata"] == {"sha256": digest(contents["f4711"]).hex(), "mtime": "1234567890"}
    assert uploads(s3_bucket) == []


@pytest.mark.parametrize("given", [b"x" * 2999, b"x" * 3001, b"y" * 3000, b"x" * 9000])
def test_wrong_bytes_in_parts_leave_no_hidden_parts(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue, given: bytes
) -> None:
    target = open_s3(SMALL)
    promised = b"x" * 3000
    present = target.present(URL, queue.claim())
    with (
        pytest.raises(CorruptTransfer),
        target.release(present, slip_of(URL, {"big": promised})) as release,
    ):
        release.put([FilePut("big", digest(promised), 3000, lambda: io.BytesIO(given))])
    assert uploads(s3_bucket) == []
    assert lying(s3_bucket, ".slipway") == [".slipway/modules-0123456789abcdef0123456789abcdef/modules/+courses+physics/holder"]


def test_what_reads_back_differently_is_corrupt(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    target = open_s3(verify="readback")
    present = target.present(URL, queue.claim())

    def rot(**_: object) -> None:
        for path in lying(s3_bucket, ".slipway"):
            if not path.endswith("/holder"):
                s3_bucket.write(path, b"rotten")

    with target.release(present, slip_of(URL, {"a": b"1"})) as release:
        release.put([file_put("a", b"1")])
        target._bucket.client.meta.events.register("after-call.s3.PutObject", rot)
        with pytest.raises(CorruptTransfer, match="read back"):
            release.put([file_put("a", b"1")])
        target._bucket.client.meta.events.unregister("after-call.s3.PutObject", rot)


def test_many_objects_are_listed_page_by_page(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    target = open_s3()
    listing = target._bucket.client.list_objects_v2
    target._bucket.client.list_objects_v2 = lambda **given: listing(**{"MaxKeys": 2} | given)  # type: ignore[attr-defined]
    for url in ("/a", "/b", "/c"):
        publish(target, url, {"index.htm": url.encode(), "x": b"x"}, queue.claim())
    s3_bucket.write("strange", b"s")
    assert [entry.url for entry in target.modules()] == ["/a", "/b", "/c"]
    assert list(target.unclaimed()) == ["strange"]


def test_a_probe_names_everything_that_publishing_needs(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    checks = open_s3(SMALL, acl="public-read").probe()
    said = {check.what: check.outcome for check in checks}
    assert said["conditional writes are honoured"] == said["conditional removals are honoured"] == "ok"
    assert said["no queue manages it yet"] == "warning"
    assert said["the area cannot be read by everybody"] == "ok"
    open_s3().adopt(queue.id)
    assert f"managed by the queue {queue.id}" in {check.what for check in open_s3().probe()}
    s3_bucket.write(".slipway/modules-other/modules/+x/slip.xml", b"")
    assert [check.outcome for check in open_s3(conditional_writes=False).probe()][-2:] == ["warning", "failure"]


def test_an_area_that_everybody_can_read_is_warned_about(open_s3: OpenBucket, s3_bucket: OneBucket) -> None:
    target = open_s3()
    publishing = {"ACL": "public-read"}

    def publish_all(params: dict[str, Any], **_: object) -> None:
        params.update(publishing)

    target._bucket.client.meta.events.register("provide-client-params.s3.PutObject", publish_all)
    assert ("warning", "everybody can read our/site/.slipway") in {(check.outcome, check.what) for check in target.probe()}


def test_a_probe_of_a_bucket_that_is_not_there_says_so(open_s3: OpenBucket) -> None:
    [check] = open_s3(bucket="nowhere").probe()
    assert check.outcome == "failure"
    assert "make the bucket, or correct its name" in check.remedy


def test_a_service_without_conditions_is_found_out(open_s3: OpenBucket, s3_bucket: OneBucket) -> None:
    target = open_s3()

    def forget(params: dict[str, Any], **_: object) -> None:
        params["headers"].pop("If-Match", None)
        params["headers"].pop("If-None-Match", None)

    target._bucket.client.meta.events.register("before-call.s3", forget)
    checks = target.probe()
    assert checks[-1].outcome == "failure"
    assert "conditional_writes = false" in checks[-1].remedy
    assert lying(s3_bucket) == []


def test_without_conditional_writes_it_works_and_still_refuses_a_stale_engine(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue
) -> None:
    stale, newer = open_s3(conditional_writes=False), open_s3(conditional_writes=False)
    present = stale.present(URL, queue.claim())
    with stale.release(present, slip_of(URL, {"a": b"stale"})) as release:
        release.put([file_put("a", b"stale")])
        publish(newer, URL, FILES, queue.claim())
        with pytest.raises(Fenced):
            release.prepare()
    unpublish(newer, URL, queue.claim())
    assert lying(s3_bucket, "courses") == []
