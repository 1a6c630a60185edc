from typing import Any

class BaseClient:
    # Its methods are made at run time from the service's description.
    def __getattr__(self, name: str) -> Any: ...
