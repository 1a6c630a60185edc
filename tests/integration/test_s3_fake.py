"""The fake bucket that engines are stopped in answers as the emulator does."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.s3_memory import MemoryClient, MemoryService
from support.s3_server import S3Server
from targets.s3.bucket import content_md5

OTHER = '"0123456789abcdef0123456789abcdef"'


def put(client: Any, bucket: str, key: str, body: bytes, **given: Any) -> Any:
    return client.put_object(Bucket=bucket, Key=key, Body=body, ContentMD5=content_md5(body), **given)


def story(client: Any, bucket: str) -> list[Any]:
    """The same requests, each with its answer or its refusal."""
    told: list[Any] = []

    def tell(do: Callable[[], Any], *fields: str) -> None:
        try:
            answer = do()
        except ClientError as error:
            told.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))
        else:
            told.append({name: answer.get(name) for name in fields})

    head = ("ContentLength", "ETag", "ContentType", "CacheControl", "Metadata")
    headers = {"ContentType": "text/html", "CacheControl": "max-age=1", "Metadata": {"sha256": "ab"}}
    tell(lambda: put(client, bucket, "a/1", b"one", IfNoneMatch="*", **headers), "ETag")
    tell(lambda: put(client, bucket, "a/1", b"two", IfNoneMatch="*"), "ETag")
    tell(lambda: put(client, bucket, "a/1", b"two", IfMatch=OTHER), "ETag")
    tell(lambda: put(client, bucket, "a/2", b"two", IfMatch=OTHER), "ETag")
    tell(lambda: client.copy_object(Bucket=bucket, Key="a/b/2", CopySource={"Bucket": bucket, "Key": "a/1"}))
    tell(lambda: client.copy_object(Bucket=bucket, Key="a/3", CopySource={"Bucket": bucket, "Key": "a/none"}))
    tell(lambda: client.head_object(Bucket=bucket, Key="a/b/2"), *head)
    tell(lambda: client.head_object(Bucket=bucket, Key="a/none"))
    tell(lambda: client.get_object(Bucket=bucket, Key="a/none"))
    told.append(client.get_object(Bucket=bucket, Key="a/b/2")["Body"].read())
    tell(lambda: client.delete_object(Bucket=bucket, Key="a/1", IfMatch=OTHER))
    tell(lambda: client.delete_object(Bucket=bucket, Key="a/none"))
    for given in ({"Prefix": "a/", "Delimiter": "/"}, {"Prefix": "a/"}, {"Prefix": "none/"}):
        page = client.list_objects_v2(Bucket=bucket, **given)
        keys = [one["Key"] for one in page.get("Contents", ())]
        told.append((keys, [one["Prefix"] for one in page.get("CommonPrefixes", ())], page["IsTruncated"]))
    tell(lambda: client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/1"}, {"Key": "a/none"}], "Quiet": True}))
    tell(lambda: client.get_object(Bucket=bucket, Key="a/1"))
    return told


def test_the_fake_answers_as_the_emulator_does(s3_server: S3Server) -> None:
    emulated = story(s3_server.client, s3_server.new_bucket().name)
    assert story(MemoryClient(MemoryService()), "b") == emulated
    assert ("PreconditionFailed", 412) in emulated


def test_the_fake_tells_of_each_request_before_it_happens() -> None:
    seen: list[tuple[str, str]] = []
    client = MemoryClient(MemoryService(), lambda verb, key: seen.append((verb, key)))
    put(client, "b", "k", b"")
    with pytest.raises(ClientError):
        client.get_object("b", "none")
    assert seen == [("put_object", "k"), ("get_object", "none")]
