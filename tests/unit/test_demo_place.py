"""The demo's folder."""

import signal
from pathlib import Path

import pytest

from config import load
from demo import TARGETS, prepare
from demo.daemon import postponed


def test_a_new_folder_gets_the_site_a_good_configuration_and_roots(tmp_path: Path) -> None:
    place = prepare(tmp_path / "play")
    assert len(place.modules()) == 12
    assert place.modules()[0] == "/"
    assert all(place.target(name).is_dir() for name in TARGETS)
    settings = load(place.config, {})
    assert settings.environments["PRODUCTION"].source == "target:staging"
    assert settings.state_dir == place.folder / "state"


def test_what_a_person_changed_stays(tmp_path: Path) -> None:
    place = prepare(tmp_path / "play")
    (place.cms / "about/index.html").write_text("mine")
    place.config.write_text(place.config.read_text() + "# mine\n")
    prepare(tmp_path / "play")
    assert (place.cms / "about/index.html").read_text() == "mine"
    assert place.config.read_text().endswith("# mine\n")


def test_a_folder_that_was_moved_gets_a_configuration_for_where_it_is(tmp_path: Path) -> None:
    prepare(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    place = prepare(tmp_path / "there")
    assert load(place.config, {}).state_dir == tmp_path / "there/state"


def test_half_a_copy_of_an_interrupted_run_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "play/cms.new/about").mkdir(parents=True)
    assert len(prepare(tmp_path / "play").modules()) == 12


def test_a_tree_counts_what_is_published_alone(tmp_path: Path) -> None:
    place = prepare(tmp_path / "play")
    for name in (".slipway/modules/slip.xml", "about/packageslip.xml", "about/index.html"):
        file = place.target("staging") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("12345")
    tree = place.tree("staging")
    assert (tree.files, tree.bytes) == (1, 5)


def test_a_signal_during_a_start_arrives_after_it() -> None:
    done: list[str] = []

    def start() -> None:
        with postponed(signal.SIGINT):
            signal.raise_signal(signal.SIGINT)
            done.append("started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["started"]
