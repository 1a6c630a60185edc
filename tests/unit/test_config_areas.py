"""Holding areas whose settings contradict each other."""

from pathlib import Path

import pytest

from config import check

CONFIG = """
[sources.cms]
kind = "directory"
path = "cms"
[targets.staging]
kind = "local"
root = "staging"
[targets.area]
kind = "local"
root = "area"
[environments.STAGING]
source = "cms"
origin = "staging"
[[environments.STAGING.holding_areas]]
target = "area"
"""


def faults(folder: Path, area: str) -> list[tuple[str, str]]:
    (folder / "config.toml").write_text(CONFIG + area)
    return [(fault.key, fault.message) for fault in check(folder / "config.toml", {})]


@pytest.mark.parametrize(
    "area",
    [
        "",
        'only = "mirror"',
        'file = "nobody asks"',
        'form = "download"',
        'form = "imscp"\nfile = "packages/$form/${name}-1.zip"',
    ],
)
def test_areas_that_are_well_described_have_no_fault(tmp_path: Path, area: str) -> None:
    assert not faults(tmp_path, area)


@pytest.mark.parametrize("file", ["$title.zip", "$", "/$name.zip", "../$name.zip", "a//b.zip", "", "packageslip.xml"])
def test_a_package_needs_a_name_that_can_be_filled_in(tmp_path: Path, file: str) -> None:
    [(key, message)] = faults(tmp_path, f'form = "download"\nfile = "{file}"')
    assert key == "environments.STAGING.holding_areas[0].file"
    assert "made of letters, $name and $form" in message


def test_what_goes_into_a_package_is_no_setting_of_the_area(tmp_path: Path) -> None:
    [(key, message)] = faults(tmp_path, 'form = "download"\nonly = "mirror"')
    assert key == "environments.STAGING.holding_areas[0].only"
    assert "is said in [packages]" in message
