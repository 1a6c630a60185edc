"""Names of files in packages: what a path becomes never becomes another path's."""

import re
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from archives.mets import _xml_id
from archives.naming import plain_name, uri_name

PATHS = st.text(min_size=1, max_size=12)


@given(PATHS, PATHS)
def test_two_paths_have_two_identifiers(one: str, other: str) -> None:
    first, second = _xml_id("file", one), _xml_id("file", other)
    assert re.fullmatch(r"file-[A-Za-z0-9._-]+", first)
    assert (first == second) == (one == other)


@given(PATHS, PATHS)
def test_two_paths_have_two_names_in_a_uri_and_keep_what_they_mean(one: str, other: str) -> None:
    assert (uri_name(one) == uri_name(other)) == (one == other)
    assert not set("[]") & set(uri_name(one))
    assert unquote(uri_name(one)) == one
    assert plain_name(uri_name(one)) == one
