"""Answers of an object store, and failures to get one, as ours: the one place where they are translated."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionError,  # noqa: A004 - the library's name
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from targets.errors import (
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

ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
"""An answer to HEAD has no body, and so no name: its status alone."""
CONFLICT = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
NO_BUCKET = frozenset({"NoSuchBucket"})
NO_LOGIN = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed"}
)
THROTTLED = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "429"})
CORRUPT = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "XAmzContentChecksumMismatch"})
FULL = frozenset({"QuotaExceeded", "EntityTooLarge", "XMinioStorageFull", "507"})
UNFIT = frozenset(
    {
        "NotImplemented",
        "MethodNotAllowed",
        "PermanentRedirect",
        "IllegalLocationConstraintException",
        "InvalidBucketName",
        "AccessControlListNotSupported",
        "UnsupportedArgument",
    }
)
AWAY = frozenset({502, 503, 504})


class Conflict(Exception):
    """A conditional write was refused: the object is not what the condition says."""


def code_of(error: ClientError) -> str:
    """The service's name for the error, or its status where it gave none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def as_target_errors(target: str, what: str) -> Iterator[None]:
    """Raise ours for everything that the library may raise while `what` is done; FileNotFoundError, Conflict where it is that."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in ABSENT:
            raise FileNotFoundError(f"{target}: {what}: it is not there") from error
        if code_of(error) in CONFLICT:
            raise Conflict(what) from error
        raise answered(error, target, what) from error
    except BotoCoreError as error:
        raise unanswered(error, target, what) from error


def answered(error: ClientError, target: str, what: str) -> TargetError:
    """What the service's answer means for the task."""
    code, status = code_of(error), status_of(error)
    words = f"{target}: {what}: the service answered {code or status}"
    said = str(error.response.get("Error", {}).get("Message", "")).strip().rstrip(".")
    if said and said != code:
        words += f" ({said})"
    for codes, kind, remedy in ANSWERS:
        if code in codes:
            return kind(f"{words}; {remedy}" if remedy else words, target=target)
    if status in AWAY:
        return TargetUnreachable(words, target=target)
    if status == 403:
        return PermissionRefused(f"{words}; let the account do this", target=target)
    if status == 401:
        return LoginRefused(f"{words}; correct access_key and secret_key", target=target)
    if status >= 500 or code in {"RequestTimeout", "OperationAborted", "NoSuchUpload"}:
        return TransientTargetError(words, target=target)
    return PermanentTargetError(words, target=target)


ANSWERS: tuple[tuple[frozenset[str], type[TargetError], str], ...] = (
    # Like a root that is not mounted: it ends no task for good.
    (NO_BUCKET, TargetUnreachable, "make the bucket, or correct its name"),
    (NO_LOGIN, LoginRefused, "correct access_key, secret_key and region"),
    (THROTTLED, TransientTargetError, ""),
    (CORRUPT, CorruptTransfer, ""),
    (FULL, NoSpace, "make room there"),
    (UNFIT, TargetUnfit, "correct the target's settings; 'slipway target test' tries each"),
    (frozenset({"RequestTimeTooSkewed"}), PermanentTargetError, "set this machine's clock"),
)
"""The first row that has the code counts."""


def unanswered(error: BotoCoreError, target: str, what: str) -> TargetError:
    """What it means that no answer came."""
    words = f"{target}: {what}: {error}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return LoginRefused(f"{words}; set access_key and secret_key", target=target)
    if isinstance(error, ChecksumError):
        return CorruptTransfer(words, target=target)
    if isinstance(error, HTTPClientError | ConnectionError | IncompleteReadError):
        return TargetUnreachable(words, target=target)
    return PermanentTargetError(words, target=target)
