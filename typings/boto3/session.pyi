from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session as CoreSession

class Session:
    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        region_name: str | None = None,
        botocore_session: CoreSession | None = None,
    ) -> None: ...
    def client(
        self,
        service_name: str,
        *,
        endpoint_url: str | None = None,
        verify: bool | str | None = None,
        config: Config | None = None,
    ) -> BaseClient: ...
