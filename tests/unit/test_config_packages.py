"""Faults of [packages] are found by day."""

import pytest

from config.crosscheck import crosscheck
from config.settings import Settings


def faults(**packages: object) -> list[str]:
    return [".".join(map(str, found.place)) for found in crosscheck(Settings.model_validate({"packages": packages}))]


def test_good_settings_have_no_fault() -> None:
    assert faults() == []
    closing = [{"page": "/terms/index.htm", "title": "Terms"}, {"page": "/terms", "title": "Terms"}]
    assert faults(name="x-$uid-$$", site="https://ocw.example.edu/", shared=["/terms"], closing=closing) == []
    assert faults(site="http://localhost:8000/base", shared=["/"], closing=[{"page": "/about", "title": "About"}]) == []


@pytest.mark.parametrize("name", ["$title", "100 $", "${short_id"])
def test_a_name_that_cannot_be_filled_in_is_a_fault(name: str) -> None:
    assert faults(name=name) == ["packages.name"]


@pytest.mark.parametrize("site", ["ocw.example.edu", "/", "ftp://x.example", "https://", "https://x.example/?a", "http://[bad"])
def test_a_site_that_is_none_is_a_fault(site: str) -> None:
    assert faults(site=site) == ["packages.site"]


def test_shared_modules_and_closing_pages_must_fit() -> None:
    assert faults(shared=["images"]) == ["packages.shared.0"]
    assert faults(shared=["/terms"], closing=[{"page": "/termsofuse/x.htm", "title": "T"}]) == ["packages.closing.0.page"]
