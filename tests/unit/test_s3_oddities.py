"""What services and libraries rarely answer, and what then becomes of a request."""

# Parameters are named as the library names them; errors come at one step of a release, inside its `with` block.
# ruff: noqa: N803, PT012

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, NoCredentialsError

from support.claims import TestQueue, Ticket
from support.releases import FILES, URL, file_put, publish, slip_of, under
from support.s3_histories import SETTINGS, open_bucket
from support.s3_memory import MemoryClient, MemoryService, refusal
from targets import (
    CorruptTransfer,
    Fenced,
    LoginRefused,
    PathBlocked,
    PermanentTargetError,
    TargetBusy,
    TargetError,
    TransientTargetError,
)
from targets.s3 import BucketTarget, Sizes
from targets.s3.bucket import Bucket, digest_in
from targets.s3.copying import Copying
from targets.s3.faults import answered, as_target_errors, unanswered
from targets.s3.parts import Parts
from targets.s3.sizes import MOST_PARTS
from targets.s3.spread import spread


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def bucket_of(client: Any) -> Bucket:
    return Bucket("t", client, "b", "", 1)


def target_of(client: Any) -> BucketTarget:
    target = BucketTarget("t", SETTINGS)
    target._connected = bucket_of(client)
    return target


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoCredentialsError(), LoginRefused),
        (ChecksumError(checksum_type="crc32", expected_checksum="a", actual_checksum="b"), CorruptTransfer),
        (BotoCoreError(), PermanentTargetError),
    ],
)
def test_what_the_library_raises_becomes_ours(error: BotoCoreError, kind: type[TargetError]) -> None:
    with pytest.raises(kind, match="t: read x"), as_target_errors("t", "read x"):
        raise error
    assert type(unanswered(error, "t", "read x")) is kind


def test_an_answer_without_a_name_is_known_by_its_status() -> None:
    assert type(answered(refusal("403", 403), "t", "w")).__name__ == "PermissionRefused"
    assert str(answered(refusal("", 500), "t", "write x")) == "t: write x: the service answered 500"
    named = ClientError({"Error": {"Code": "OperationAborted", "Message": "try again."}}, "PutObject")
    assert str(answered(named, "t", "w")) == "t: w: the service answered OperationAborted (try again)"
    assert type(answered(named, "t", "w")) is TransientTargetError


def test_one_object_that_may_not_be_removed_is_an_error() -> None:
    class Refusing(MemoryClient):
        def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
            return {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "no"}]}

        def delete_object(self, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:
            raise refusal("AccessDenied", 403)

    with pytest.raises(PermanentTargetError, match="let the account do this"):
        bucket_of(Refusing(MemoryService())).remove(["a", "b"])


def test_uploads_are_listed_page_by_page() -> None:
    class Uploading:
        def list_multipart_uploads(self, **given: str) -> dict[str, Any]:
            if "KeyMarker" not in given:
                return {"Uploads": [], "IsTruncated": True, "NextKeyMarker": "k", "NextUploadIdMarker": "u"}
            assert (given["KeyMarker"], given["UploadIdMarker"]) == ("k", "u")
            return {"IsTruncated": False}

    assert list(bucket_of(Uploading()).uploads(".slipway")) == []


def test_an_upload_that_cannot_be_cancelled_hides_no_other_error() -> None:
    class Stubborn:
        def create_multipart_upload(self, **_: str) -> dict[str, str]:
            return {"UploadId": "u"}

        def abort_multipart_upload(self, **_: str) -> None:
            raise refusal("InternalError", 500)

    with pytest.raises(RuntimeError, match="the first"), Parts(bucket_of(Stubborn()), "big", {}):
        raise RuntimeError("the first")


def test_only_a_digest_is_a_digest() -> None:
    assert digest_in({"sha256": "zz"}) is None
    assert digest_in({"sha256": "abcd"}) is None
    assert digest_in({}) is None
    assert digest_in({"sha256": "ab" * 32}) == b"\xab" * 32


def test_no_object_has_more_parts_than_the_protocol_allows() -> None:
    sizes = Sizes()
    for size in (1, 10**9, 5 * 10**12):
        for part in (sizes.upload_part(size), sizes.copy_part(size)):
            assert -(-size // part) <= MOST_PARTS


def test_a_big_object_that_vanished_is_not_there() -> None:
    bucket = bucket_of(MemoryClient(MemoryService()))
    with pytest.raises(FileNotFoundError):
        Copying(bucket, Sizes(part=1, copied=1)).copy("a", "b", 2)


def test_after_an_error_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise RuntimeError("three")
        return number

    with pytest.raises(RuntimeError, match="three"):
        list(spread(work, range(1000), 2))
    assert len(begun) < 20


def test_a_holder_that_presents_again_goes_on(queue: TestQueue) -> None:
    target, claim = open_bucket(MemoryService()), queue.claim()
    first = target.present(URL, claim)
    assert target.present(URL, claim) == first


def test_a_slip_of_another_queue_with_a_higher_serial_makes_the_claim_go_above_it(queue: TestQueue) -> None:
    service, other = MemoryService(), TestQueue("f" * 32)
    queue.counter = 500
    publish(open_bucket(service), URL, FILES, queue.claim())
    open_bucket(service).adopt(other.id)
    other.counter = 900
    claim = other.claim(serial=3)
    open_bucket(service).present(URL, claim)
    assert claim.serial > 900


def test_a_module_that_keeps_changing_hands_is_left_alone_for_now(queue: TestQueue) -> None:
    service = MemoryService()
    publish(open_bucket(service), URL, FILES, queue.claim())
    [holder] = [key for key in service.objects if key.endswith("/holder")]

    def others(verb: str, key: str) -> None:
        if verb == "put_object" and key == holder:
            kept = service.objects[key]
            service.objects[key] = type(kept)(kept.body + b" ", kept.headers)

    with pytest.raises(TargetBusy, match="keeps changing hands"):
        open_bucket(service, others).present(URL, queue.claim())
    with pytest.raises(TargetBusy, match="still at work"):
        open_bucket(service, others).adopt("f" * 32)


def test_a_first_holder_who_comes_second_looks_again(queue: TestQueue) -> None:
    service = MemoryService()
    earlier = queue.claim()

    def another(verb: str, key: str) -> None:
        if verb == "put_object" and key.endswith("/holder") and key not in service.objects:
            open_bucket(service).present(URL, earlier)

    present = open_bucket(service, another).present(URL, queue.claim())
    assert present.token.startswith(f"{2:019d}")


def test_a_commit_record_that_a_later_holder_wrote_is_not_replaced(queue: TestQueue) -> None:
    service = MemoryService()
    struck: list[Ticket] = []

    def overtaken(verb: str, key: str) -> None:
        if verb == "put_object" and key.endswith("/slip.xml") and not struck:
            struck.append(queue.claim())
            publish(open_bucket(service), URL, {"index.htm": b"newer"}, struck[0])

    with pytest.raises(Fenced):
        publish(open_bucket(service, overtaken), URL, FILES, queue.claim())
    slip = open_bucket(service).slip(URL)
    assert slip is not None
    assert slip.serial == struck[0].serial


@pytest.mark.parametrize(("collisions", "ends_well"), [(1, True), (3, False)])
def test_writes_that_met_are_tried_again(queue: TestQueue, collisions: int, ends_well: bool) -> None:
    left = [0]

    def collide(verb: str, key: str) -> None:
        if verb == "put_object" and key.endswith("/holder") and left[0]:
            left[0] -= 1
            raise refusal("ConditionalRequestConflict", 409)

    service = MemoryService()
    target = open_bucket(service, collide)
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put(path, content) for path, content in FILES.items()])
        left[0] = collisions
        if ends_well:
            release.prepare()
            release.switch()
        else:
            with pytest.raises(Fenced):
                release.prepare()
    assert ("courses/physics/readme" in service.objects) == ends_well


def test_a_module_without_a_register_is_adopted_too(queue: TestQueue) -> None:
    service = MemoryService()
    publish(open_bucket(service), URL, FILES, queue.claim())
    for key in [key for key in service.objects if key.endswith("/holder")]:
        del service.objects[key]
    target = open_bucket(service)
    assert target.adopt("f" * 32) == queue.id
    assert [entry.url for entry in target.modules()] == [URL]


def test_a_staged_object_that_no_listing_shows_is_found(queue: TestQueue) -> None:
    class Lagging(MemoryClient):
        def list_objects_v2(self, Bucket: str, Prefix: str, **given: Any) -> dict[str, Any]:  # type: ignore[override]
            page = super().list_objects_v2(Bucket, Prefix, **given)
            return page | {"Contents": [one for one in page["Contents"] if "/s:" not in one["Key"]]}

    service = MemoryService()
    publish(target_of(Lagging(service)), URL, FILES, queue.claim())
    assert set(under(URL, FILES)) <= set(service.objects)


def test_an_unpublish_whose_record_is_gone_already_ends_well(queue: TestQueue) -> None:
    service = MemoryService()
    target = open_bucket(service)
    publish(target, URL, FILES, queue.claim())
    with target.release(target.present(URL, queue.claim()), None) as release:
        release.prepare()
        for key in [key for key in service.objects if key.endswith("/slip.xml")]:
            del service.objects[key]
        release.switch()
    assert not any(key.startswith("courses/") for key in service.objects)


def test_our_own_area_is_nobodys_module(queue: TestQueue) -> None:
    target = BucketTarget("t", SETTINGS.model_copy(update={"area": "courses/private"}))
    target._connected = bucket_of(MemoryClient(MemoryService()))
    present = target.present("/courses", queue.claim())
    with pytest.raises(PathBlocked, match="keeps its own"):
        target.release(present, slip_of("/courses", {"private/x": b"1"}))


def test_old_holds_are_forgotten(queue: TestQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targets.s3.target.HOLDS", 2)
    target = open_bucket(MemoryService())
    first = target.present("/a", queue.claim())
    for url in ("/b", "/c"):
        target.present(url, queue.claim())
    with pytest.raises(ValueError, match="presented"):
        target.release(first, slip_of("/a", {"a": b"1"}))


def test_a_removal_that_ignores_conditions_is_found_out() -> None:
    class Careless(MemoryClient):
        def delete_object(self, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:
            return super().delete_object(Bucket, Key)

        def create_multipart_upload(self, **_: str) -> dict[str, str]:
            return {"UploadId": "u"}

        def abort_multipart_upload(self, **_: str) -> None:
            """Done."""

    checks = target_of(Careless(MemoryService())).probe()
    assert (checks[-1].outcome, checks[-1].what) == ("failure", "conditional removals are honoured")


def test_a_stale_engine_that_stages_late_leaves_what_the_next_removes(queue: TestQueue) -> None:
    service = MemoryService()
    target = open_bucket(service)
    present = target.present(URL, queue.claim())
    with pytest.raises(Fenced), target.release(present, slip_of(URL, FILES)) as release:
        release.put([file_put("readme", FILES["readme"])])
        open_bucket(service).present(URL, queue.claim())
        release.put([file_put("index.htm", FILES["index.htm"])])
        release.prepare()
    publish(open_bucket(service), URL, FILES, queue.claim())
    assert not any("/s:" in key for key in service.objects)
