"""A course that a CMS of the tests serves, and the source that reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sources.http import HttpSource
from store import Store
from support.fetching import OpenHttp
from support.http_cms import Cms
from support.physics import make_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def server(cms: Callable[..., Cms], site: Path) -> Cms:
    return cms(site)


@pytest.fixture
def source(server: Cms, open_http: OpenHttp) -> HttpSource:
    return open_http(server)
