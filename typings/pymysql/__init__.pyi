from pymysql import connections as connections
from pymysql import err as err
from pymysql.connections import Connection

def connect(
    *,
    host: str = ...,
    port: int = ...,
    user: str = ...,
    password: str = ...,
    database: str | None = ...,
    unix_socket: str = ...,
    autocommit: bool = ...,
    ssl_disabled: bool = ...,
) -> Connection: ...
