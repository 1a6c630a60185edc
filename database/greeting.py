"""How a connection to MySQL or MariaDB begins.

Where a URL says nothing about TLS, pymysql uses it if the server offers it, and believes any certificate. It still reads every
certificate authority of the machine for that, for each connection anew: nine tenths of the computing that a connection takes,
measured.
"""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

_ASKING = ("ssl", "read_default_")
"""How the names of options begin that say how TLS is to be used, or name a file that may."""


def connect_lightly(_dialect: object, _record: object, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """A connection as pymysql makes it, but without the certificates that it would not look at, for SQLAlchemy's `do_connect`.

    None where the URL does say something about TLS, which is then left to pymysql.
    """
    if any(option.startswith(_ASKING) for option in options):
        return None
    # Imported here: who has a file for a queue needs no driver.
    from pymysql.connections import Connection  # noqa: PLC0415

    connection = Connection(*arguments, **options, defer_connect=True, ssl_disabled=True)
    connection.ssl, connection.ctx = True, _anybody()
    connection.connect()
    return connection


def _anybody() -> ssl.SSLContext:
    """TLS with whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
