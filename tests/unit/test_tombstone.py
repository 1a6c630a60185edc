"""What stands where a retired module was."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from archives.errors import PackageError
from archives.tombstone import Tombstone
from config import PackageSettings
from packageslip import Packageslip

COURSE = Packageslip("/courses/8-01", title="Physics <I>", module_short_id="8-01-fall-1999")
OPTIONS = PackageSettings(site="https://www.example.edu", contact="ask@example.edu")
THEN = 1_394_412_946  # 2014-03-10


def tombstone(texts: Path | None = None, handles: str = "https://hdl.handle.net/$handle") -> Tombstone:
    return Tombstone(COURSE, OPTIONS, "1721.1/85562", THEN, handles=handles, texts=texts)


def test_the_page_says_what_it_was_and_where_it_is_since_when() -> None:
    page = tombstone().page().decode()
    assert "<h1>Physics &lt;I&gt;</h1>" in page
    assert '<a href="https://hdl.handle.net/1721.1/85562">' in page
    assert "Since 2014-03-10" in page


def test_the_zip_says_the_same_and_is_always_the_same() -> None:
    made = tombstone().zip()
    assert made == tombstone().zip()
    with zipfile.ZipFile(BytesIO(made)) as found:
        assert found.namelist() == ["8-01-fall-1999/ReadMe.txt", "8-01-fall-1999/START.htm"]
        text = found.read("8-01-fall-1999/ReadMe.txt").decode()
        assert found.read("8-01-fall-1999/START.htm") == tombstone().page()
        assert found.infolist()[0].date_time == (2014, 3, 10, 0, 55, 46)
    assert text.startswith("Physics <I>\nhttps://www.example.edu/courses/8-01\n")
    assert "https://hdl.handle.net/1721.1/85562" in text
    assert "ask@example.edu" in text


def test_templates_of_ones_own_take_the_place_of_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "tombstone.htm").write_text("$title is at $handle")
    made = tombstone(tmp_path)
    assert made.page() == b"Physics &lt;I&gt; is at 1721.1/85562"
    assert len(made.zip()) > 100


@pytest.mark.parametrize("handles", ["https://hdl.handle.net/$nothing", "https://hdl.handle.net/$"])
def test_an_address_that_cannot_be_filled_in_is_said_so(handles: str) -> None:
    with pytest.raises(PackageError, match="it may use \\$handle"):
        tombstone(handles=handles)
