"""Slipway's own objects in a bucket: reaped, adopted, damaged, and whose they are. Against the emulator."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

import json
from typing import Any

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, changed, file_put, publish, slip_of, under
from support.s3_server import PREFIX, OneBucket, OpenBucket, S3Server, lying, uploads
from targets import (
    AreaMissing,
    GroupTarget,
    PermanentTargetError,
    TargetUnfit,
    TransientTargetError,
)
from targets.s3 import BucketTarget, Sizes

SMALL = Sizes(part=1000, copied=1500)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_what_dead_engines_left_is_reaped(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    target = open_s3()
    publish(target, URL, FILES, queue.claim())
    module = f".slipway/modules-{queue.id}/modules/+courses+physics"
    stale = f"{module}/{1:019d}.0000aaaa"
    s3_bucket.write(f"{stale}/s:1", b"left")
    s3_bucket.write(f"{stale}/s:2", b"left")
    s3_bucket.write(".slipway/probe-12345678/one", b"left")
    dying = queue.claim()
    present = target.present("/other", dying)
    with pytest.raises(RuntimeError), target.release(present, slip_of("/other", FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        raise RuntimeError("dies")
    assert target.reap(3600) == 0
    # To the emulator every upload in parts began in 2010.
    s3_bucket.client.create_multipart_upload(Bucket=s3_bucket.name, Key=f"{PREFIX}/{stale}/s:3")
    s3_bucket.client.create_multipart_upload(Bucket=s3_bucket.name, Key=f"{PREFIX}/theirs")
    assert target.reap(-1) == 3
    assert lying(s3_bucket, f"{module}/") == [f"{module}/holder", f"{module}/slip.xml"]
    assert [upload["Key"] for upload in uploads(s3_bucket)] == [f"{PREFIX}/theirs"]
    open_s3().present("/other", queue.claim())
    assert set(under("/other", FILES)) <= set(lying(s3_bucket))


def test_an_adopted_release_is_finished_by_the_new_queue(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    target = open_s3()
    publish(target, "/calm", FILES, queue.claim())
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put(path, content) for path, content in FILES.items()])
        release.prepare()
    assert open_s3().adopt("f" * 32) == queue.id
    found = open_s3().present(URL, TestQueue("f" * 32).claim())
    assert found.recovered is not None
    assert set(under(URL, FILES)) <= set(lying(s3_bucket))
    assert not lying(s3_bucket, f".slipway/modules-{queue.id}")
    assert [entry.url for entry in open_s3().modules()] == ["/calm", URL]


def test_areas_of_several_queues_are_for_a_person(open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue) -> None:
    target = open_s3()
    publish(target, URL, FILES, queue.claim())
    s3_bucket.write(".slipway/modules-other/modules/+x/slip.xml", b"")
    with pytest.raises(TargetUnfit, match="areas of 2 queues"):
        target.adopt(queue.id)
    with pytest.raises(AreaMissing, match="several queues"):
        open_s3().slip(URL)
    assert target.slip(URL) is not None
    with pytest.raises(AreaMissing, match="managed by the queue other"):
        target.present("/new", queue.claim())


def test_of_two_queues_that_come_at_once_neither_gets_the_bucket(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue
) -> None:
    target = open_s3()
    begun = f".slipway/modules-{queue.id}"

    def another(**_: object) -> None:
        s3_bucket.write(".slipway/modules-other/modules/+x/holder", b"{}")

    target._bucket.client.meta.events.register("after-call.s3.PutObject", another)
    with pytest.raises(AreaMissing):
        target.present(URL, queue.claim())
    assert not [key for key in s3_bucket.listing() if key.startswith(begun)]


def damage(s3_bucket: OneBucket, ending: str, content: bytes | None) -> None:
    [path] = [path for path in s3_bucket.listing() if path.endswith(ending)]
    if content is None:
        s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key=f"{PREFIX}/{path}")
    else:
        s3_bucket.write(path, content)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"tokn": "x"}', b'{"token": "x"}'])
def test_a_damaged_register_stops_for_a_person(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue, content: bytes
) -> None:
    target = open_s3()
    publish(target, URL, FILES, queue.claim())
    damage(s3_bucket, "/holder", content)
    with pytest.raises(PermanentTargetError, match="--repair"):
        target.present(URL, queue.claim())
    damage(s3_bucket, "/holder", None)
    publish(target, URL, {"a": b"1"}, queue.claim())
    assert lying(s3_bucket, "courses/physics/") == ["courses/physics/a", "courses/physics/packageslip.xml"]


@pytest.mark.parametrize(("ending", "content"), [("/next.xml", None), ("/next.xml", b"<cut"), (":slip", None), (":2", None)])
def test_a_prepared_release_that_lost_something_stops_for_a_person(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue, ending: str, content: bytes | None
) -> None:
    target = open_s3()
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put(path, content) for path, content in FILES.items()])
        release.prepare()
    damage(s3_bucket, ending, content)
    with pytest.raises(PermanentTargetError, match="--repair"):
        target.present(URL, queue.claim())


def test_an_engine_of_a_queue_that_is_being_replaced_is_shut_out(
    open_s3: OpenBucket, s3_bucket: OneBucket, queue: TestQueue
) -> None:
    target = open_s3()
    publish(target, URL, FILES, queue.claim())
    [path] = [path for path in s3_bucket.listing() if path.endswith("/holder")]
    s3_bucket.write(path, json.dumps(json.loads(s3_bucket.read(path)) | {"moved": "f" * 32}).encode())
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
