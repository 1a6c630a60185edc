"""The command on a site whose origin and holding area are buckets: publish, deliver, take over, verify. On the emulator."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.s3_server import OneBucket, S3Server
from support.small_site import SmallSite, make_small_site


@pytest.fixture
def buckets(s3_server: S3Server) -> tuple[OneBucket, OneBucket]:
    return s3_server.new_bucket(), s3_server.new_bucket()


@pytest.fixture
def site(tmp_path: Path, buckets: tuple[OneBucket, OneBucket]) -> SmallSite:
    """The small site with its origin and its holding area in buckets."""
    site = make_small_site(tmp_path)
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    text = site.config.read_text(encoding="utf-8")
    for name, bucket in zip(("staging", "download"), buckets, strict=True):
        local = f'[targets.{name}]\nkind = "local"\nroot = "{name}"\n'
        assert local in text
        table = [
            f"[targets.{name}]",
            'kind = "s3"',
            f'bucket = "{bucket.name}"',
            'prefix = "our/site"',
            f'endpoint = "{bucket.endpoint}"',
            "path_style = true",
            'access_key = "tester"',
            'secret_key = { file = "secret" }',
        ]
        text = text.replace(local, "\n".join(table) + "\n")
    site.config.write_text(text, encoding="utf-8")
    return site


def pages(bucket: OneBucket) -> set[str]:
    return {path for path in bucket.files() if path.endswith(".html")}


def test_a_site_lives_in_buckets(site: SmallSite, buckets: tuple[OneBucket, OneBucket]) -> None:
    origin, download = buckets
    result = site.run("target", "test", "staging")
    assert result.exit_code == 0, result.output
    assert "conditional writes are honoured" in result.stdout
    result = site.run("publish", "/about", "--to", "STAGING", "--now")
    assert result.exit_code == 0, result.output
    result = site.run("publish", "/knots", "--to", "STAGING", "--now")
    assert result.exit_code == 0, result.output
    assert len(pages(origin)) == 31
    assert pages(download) == {path for path in pages(origin) if path.startswith("knots/")}
    assert origin.head("knots/index.html")["ContentType"] == "text/html"

    result = site.run("target", "adopt", "staging", "-y")
    assert result.exit_code == 0, result.output
    assert "2 modules" in result.stderr

    origin.write("knots/page7.html", b"damaged")
    result = site.run("verify", "STAGING", "/knots", "--repair", "--now")
    assert result.exit_code == 0, result.output
    assert origin.read("knots/page7.html") == b"<h1>knots 7</h1>"

    # What was approved on staging goes live from there, read from the bucket.
    result = site.run("publish", "/knots", "--to", "PRODUCTION", "--now")
    assert result.exit_code == 0, result.output
    assert len(list((site.folder / "production/knots").glob("*.html"))) == 30

    result = site.run("unpublish", "/knots", "--from", "STAGING", "-y", "--now")
    assert result.exit_code == 0, result.output
    assert pages(origin) == {"about/index.html"}


def test_without_buckets_the_library_is_not_loaded(small_site: SmallSite) -> None:
    script = (
        "import sys; from click.testing import CliRunner; from cli import slipway; "
        f"done = CliRunner().invoke(slipway, ['-c', {str(small_site.config)!r}, 'publish', '/about', '--to', 'STAGING', '--now']); "
        "assert done.exit_code == 0, done.output; print(sorted({'boto3', 'botocore'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
