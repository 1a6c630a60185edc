"""moto's server as a program, in two thirds of its time: `python s3_emulator.py -H 127.0.0.1 -p PORT`.

For each request it looks all its own modules up on the disk, twice, to find out which service is meant; here, once for each.
"""

import functools

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import main

if __name__ == "__main__":
    DomainDispatcherApplication.get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)  # type: ignore[method-assign]
    main()
