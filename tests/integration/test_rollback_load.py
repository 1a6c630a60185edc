"""A versioned module goes back and forth while readers fetch its files: the small form of `make rollback-bench`."""

from reliability.rollback import rollbacks


def test_readers_see_no_error_and_no_mixed_module() -> None:
    figures = rollbacks(files=400, times=6, readers=2, seed=1)
    assert figures.sound, str(figures)
    assert len(figures.visible) == 6
    assert all(0 < visible < whole for visible, whole in zip(figures.visible, figures.whole, strict=True))
