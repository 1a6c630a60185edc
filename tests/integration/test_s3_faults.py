"""A bucket whose service is in trouble: refusals, silence, cut connections, answers that are lost. In front of the emulator."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

from collections.abc import Callable, Iterator

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, file_put, publish, slip_of, under, unpublish
from support.s3_server import OneBucket, S3Server, Words
from support.s3_trouble import Trouble, TroubledService
from targets import (
    CorruptTransfer,
    LoginRefused,
    NoSpace,
    PermanentTargetError,
    PermissionRefused,
    TargetError,
    TargetUnfit,
    TargetUnreachable,
    TransientTargetError,
)
from targets.s3 import BucketTarget

Open = Callable[..., BucketTarget]


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def bucket(s3_server: S3Server, troubled: TroubledService) -> OneBucket:
    return s3_server.new_bucket(troubled.endpoint)


@pytest.fixture
def open_bucket(bucket: OneBucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    # The library's pauses between its tries would be all that these tests wait for.
    monkeypatch.setattr("targets.s3.client.TRIES", 1)
    opened: list[BucketTarget] = []

    def open_one(**settings: object) -> BucketTarget:
        opened.append(BucketTarget("s3", bucket.settings(**settings), bucket.secrets))
        return opened[-1]

    yield open_one
    for target in opened:
        target.close()


def live(bucket: OneBucket) -> dict[str, bytes]:
    return {path: content for path, content in bucket.files().items() if not path.endswith((".xml", "/holder"))}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (500, "InternalError", TransientTargetError),
        (503, "SlowDown", TransientTargetError),
        (503, "ServiceUnavailable", TargetUnreachable),
        (502, "", TargetUnreachable),
        (404, "NoSuchBucket", TargetUnreachable),
        (403, "AccessDenied", PermissionRefused),
        (403, "InvalidAccessKeyId", LoginRefused),
        (403, "RequestTimeTooSkewed", PermanentTargetError),
        (401, "Unauthorized", LoginRefused),
        (400, "BadDigest", CorruptTransfer),
        (400, "EntityTooLarge", NoSpace),
        (501, "NotImplemented", TargetUnfit),
        (400, "Strange", PermanentTargetError),
    ],
)
def test_answers_become_errors_that_say_what_to_do(
    open_bucket: Open, troubled: TroubledService, queue: TestQueue, status: int, code: str, kind: type[TargetError]
) -> None:
    target = open_bucket()
    troubled.troubles = [Trouble("PUT", "", status, code)]
    with pytest.raises(kind) as caught:
        publish(target, URL, FILES, queue.claim())
    assert type(caught.value) is kind
    assert caught.value.target == "s3"
    assert code in str(caught.value)


def test_throttling_is_not_an_outage(open_bucket: Open, troubled: TroubledService, queue: TestQueue) -> None:
    troubled.troubles = [Trouble(status=503, code="SlowDown")]
    with pytest.raises(TransientTargetError) as caught:
        open_bucket().present(URL, queue.claim())
    assert not isinstance(caught.value, TargetUnreachable)


def test_a_service_that_is_silent_is_unreachable(open_bucket: Open, troubled: TroubledService, queue: TestQueue) -> None:
    troubled.troubles = [Trouble(way="silence")]
    with pytest.raises(TargetUnreachable, match=r"s3: get object our/site/\.slipway"):
        open_bucket(idle_timeout=0.2).present(URL, queue.claim())


def test_a_service_that_is_not_there_is_unreachable(s3_server: S3Server, queue: TestQueue) -> None:
    settings = s3_server.new_bucket("http://127.0.0.1:1").settings()
    with pytest.raises(TargetUnreachable):
        BucketTarget("s3", settings, Words()).present(URL, queue.claim())


def test_a_hiccup_is_gone_by_the_librarys_own_second_try(bucket: OneBucket, troubled: TroubledService, queue: TestQueue) -> None:
    troubled.troubles = [
        Trouble("PUT", "index.htm", 503, "SlowDown", times=1),
        Trouble("GET", "holder", way="before", nth=3, times=1),
        Trouble("PUT", "slip.xml", 500, "InternalError", times=1),
    ]
    target = BucketTarget("s3", bucket.settings(), bucket.secrets)
    publish(target, URL, FILES, queue.claim())
    assert live(bucket) == under(URL, FILES)
    target.close()


@pytest.mark.parametrize("ending", ["holder", "slip.xml", "index.htm"])
def test_an_answer_that_is_lost_does_not_make_an_engine_refuse_its_own_work(
    bucket: OneBucket, troubled: TroubledService, queue: TestQueue, ending: str
) -> None:
    """The second try of a conditional write meets what the first one wrote."""
    target = BucketTarget("s3", bucket.settings(), bucket.secrets)
    for nth in (1, 2, 3):
        troubled.troubles, troubled.met = [Trouble("PUT", ending, way="after", nth=nth, times=1)], {}
        publish(target, URL, {**FILES, "index.htm": b"%d" % nth}, queue.claim())
    assert live(bucket) == under(URL, {**FILES, "index.htm": b"3"})
    target.close()


@pytest.mark.parametrize(
    ("step", "way"),
    [
        ("/next.xml", "before"),
        ("/holder", "after"),
        ("/readme", "after"),
        ("/index.htm", "before"),
        ("/packageslip.xml", "after"),
        ("/slip.xml", "before"),
        ("/slip.xml", "after"),
    ],
)
def test_a_release_that_is_cut_off_is_finished_by_the_next(
    open_bucket: Open, bucket: OneBucket, troubled: TroubledService, queue: TestQueue, step: str, way: str
) -> None:
    publish(open_bucket(), URL, {"old.htm": b"old", "readme": b"old"}, queue.claim())
    troubled.troubles = [Trouble("PUT", step, way=way)]
    with pytest.raises(TargetUnreachable):
        publish(open_bucket(), URL, FILES, queue.claim())
    troubled.troubles = []
    publish(open_bucket(), URL, FILES, queue.claim())
    assert live(bucket) == under(URL, FILES)
    unpublish(open_bucket(), URL, queue.claim())
    assert live(bucket) == {}


def test_bytes_that_end_in_their_middle_are_no_file(
    open_bucket: Open, bucket: OneBucket, troubled: TroubledService, queue: TestQueue
) -> None:
    target = open_bucket()
    publish(target, URL, FILES, queue.claim())
    troubled.troubles = [Trouble("GET", "readme", way="short")]
    with pytest.raises(TargetUnreachable), target.open(URL, "readme") as stream:
        stream.read()
    with pytest.raises(TargetUnreachable):
        list(target.digests(URL, ["readme"]))
    troubled.troubles = [Trouble("GET", "slip.xml", way="short")]
    with pytest.raises(TargetUnreachable):
        target.slip(URL)


def test_where_many_cannot_be_removed_at_once_they_go_one_by_one(
    open_bucket: Open, bucket: OneBucket, troubled: TroubledService, queue: TestQueue
) -> None:
    troubled.troubles = [Trouble("POST", "", 400, "MissingContentMD5")]
    publish(open_bucket(), URL, FILES, queue.claim())
    assert live(bucket) == under(URL, FILES)
    unpublish(open_bucket(), URL, queue.claim())
    assert live(bucket) == {}


def test_whoever_cannot_discard_what_he_staged_leaves_it_to_the_next(
    open_bucket: Open, bucket: OneBucket, troubled: TroubledService, queue: TestQueue
) -> None:
    target = open_bucket()
    present = target.present(URL, queue.claim())
    with pytest.raises(RuntimeError, match="stop"), target.release(present, slip_of(URL, FILES)) as release:
        release.put([file_put("readme", FILES["readme"])])
        troubled.troubles = [Trouble("GET", "", 500, "InternalError")]
        raise RuntimeError("stop")
    troubled.troubles = []
    assert any(content == FILES["readme"] for content in bucket.files().values())
    open_bucket().present(URL, queue.claim())
    assert not any(content == FILES["readme"] for content in bucket.files().values())
