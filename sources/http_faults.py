"""The errors of urllib3 and http.client, in a source's words. Only a certificate or a wrong protocol is permanent."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from urllib3 import exceptions as http

from sources.errors import PermanentSourceError, SourceError, SourceUnreachable


@contextmanager
def http_faults(source: str, where: str) -> Iterator[None]:
    """Raise their errors and the socket's as SourceErrors; `where` is the whole address, for people."""
    try:
        yield
    except (http.SSLError, ssl.SSLError) as error:
        raise _tls_fault(source, where, error) from error
    except http.DecodeError as error:
        raise SourceUnreachable(f"{source}: {where} sent a damaged compressed body: {_reason(error)}", source=source) from error
    except (http.HTTPError, HTTPException, OSError) as error:
        raise SourceUnreachable(f"{source}: {where} could not be read: {_reason(error)}", source=source) from error


def _tls_fault(source: str, where: str, error: http.SSLError | ssl.SSLError) -> SourceError:
    reason = _reason(error)
    if isinstance(_root(error), ssl.SSLCertVerificationError):
        remedy = "renew the certificate, correct the host in 'url', or set 'ca_file' to the authority that signed it"
        return PermanentSourceError(f"{source}: the certificate of {where} is refused: {reason}; {remedy}", source=source)
    if "WRONG_VERSION_NUMBER" in reason:
        return PermanentSourceError(f"{source}: {where} does not speak TLS there; is it http://, or another port?", source=source)
    return SourceUnreachable(f"{source}: TLS with {where} failed: {reason}", source=source)


def _root(error: BaseException) -> BaseException:
    """What was at the bottom of urllib3's wrapping."""
    while isinstance(inner := error.__cause__ or (error.args[-1] if error.args else None), BaseException) and inner is not error:
        error = inner
    return error


def _reason(error: BaseException) -> str:
    """The innermost words, without urllib3's object addresses."""
    root = _root(error)
    if isinstance(root, (TimeoutError, http.TimeoutError)):
        return "no answer within the time-out"
    if isinstance(root, socket.gaierror):
        return f"the host's name cannot be resolved ({root.strerror})"
    return (root.strerror if isinstance(root, OSError) else None) or str(root) or type(root).__name__
