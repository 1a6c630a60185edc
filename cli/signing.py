"""`slipway slip keygen`, `sign` and `verify`: signatures beside slips. A private key is always a file, never a flag."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.completing import ENVIRONMENT
from cli.exits import Exit
from cli.flags import AS_JSON, EXISTING, FILE
from cli.session import Failure, Session, in_session
from packageslip import (
    LONGEST_SIGNATURE,
    SIGNATURE_SUFFIX,
    Limits,
    SignatureRefused,
    SlipError,
    Trust,
    believe,
    check_document,
    format_time,
    key_id,
    make_key,
    public_key,
    read_signature,
    read_slip,
    trusted_keys,
    write_signature,
)
from packageslip import sign as sign_slip
from sources import fingerprint, proven

LATEST = datetime(2106, 1, 1, tzinfo=UTC)


@click.command()
@click.argument("file", type=FILE)
@in_session
def keygen(session: Session, file: Path) -> None:
    """Make a key pair: the private key goes into FILE, the public one is printed, for 'keys' in the configuration."""
    try:
        public = make_key(file)
    except FileExistsError as error:
        raise Failure(f"{file} is there already; a key is never overwritten", Exit.FAILED) from error
    session.print(public)
    session.say(f"the private key is in {file}; its id is {key_id(public_key(public))}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option("--key", "keys", multiple=True, required=True, type=FILE, help="The file of a private key; may be repeated.")
@click.option("--serial", type=click.IntRange(0), required=True, help="Higher than that of the module's last signed slip.")
@click.option(
    "--to",
    "environments",
    type=ENVIRONMENT,
    multiple=True,
    required=True,
    metavar="ENV",
    help="Where it may be published; may be repeated.",
)
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Days for which the signature is good.")
@in_session
def sign(
    session: Session, files: tuple[Path, ...], keys: tuple[Path, ...], serial: int, environments: tuple[str, ...], days: int
) -> None:
    """Sign slips: the signature of packageslip.xml becomes packageslip.xml.sig beside it."""
    until = min(datetime.now(UTC) + timedelta(days=days), LATEST)
    for file in files:
        document = file.read_bytes()
        slip = read_slip(document, str(file), Limits())
        names = [name.upper() for name in environments]
        signed = sign_slip(slip, document, keys, serial=serial, expires=int(until.timestamp()), environments=names)
        place = file.with_name(file.name + SIGNATURE_SUFFIX)
        written = write_signature(signed)
        # What cannot be read again is not written: a name that no environment can have, say.
        read_signature(written, str(place))
        place.write_bytes(written)
        session.print(str(place))


@click.command()
@click.argument("file", type=EXISTING)
@click.option(
    "--key", "keys", multiple=True, required=True, metavar="PUBLIC", help="A public key, as keygen prints it; may be repeated."
)
@click.option("--threshold", type=click.IntRange(1), default=1, show_default=True, help="How many of them must have signed.")
@click.option("--to", "environment", type=ENVIRONMENT, metavar="ENV", required=True, help="Where it is to be published.")
@AS_JSON
@in_session
def verify(session: Session, file: Path, keys: tuple[str, ...], threshold: int, environment: str, as_json: bool) -> Exit:
    """Check the signature beside a slip, by the rules of docs/signing.md; whether its serial is new only the queue knows."""
    try:
        found = proof(file, keys, threshold, environment.upper())
    except ValueError as error:
        raise click.UsageError(f"--key {error}") from error
    except SlipError as error:
        if not as_json:
            raise
        session.document({"file": str(file), "ok": False, "rule": getattr(error, "rule", None), "fault": str(error)})
        return Exit.SLIP
    if as_json:
        session.document({"file": str(file), "ok": True, **found})
    else:
        session.print(f"{file}: serial {found['serial']}, for {', '.join(found['environments'])}, until {found['expires']}")  # type: ignore[arg-type]
    return Exit.OK


def proof(file: Path, keys: tuple[str, ...], threshold: int, environment: str) -> Mapping[str, object]:
    """What a good signature says. Raises SignatureRefused and BadSlip; ValueError for a public key that is none."""
    trust = Trust(trusted_keys(keys), threshold)
    beside = file.with_name(file.name + SIGNATURE_SUFFIX)
    if not beside.exists():
        raise SignatureRefused(f"{beside} does not exist; 'slipway slip sign' makes it", "G1")
    with beside.open("rb") as stream:
        signature = stream.read(LONGEST_SIGNATURE + 1)
    with file.open("rb") as stream:
        check_document(*fingerprint(stream), read_signature(signature, str(beside)).statement, str(file))
        slip = proven(read_slip(stream, str(file), Limits()), signature)
    statement = believe(slip, trust, environment=environment, now=int(datetime.now(UTC).timestamp()))
    assert statement is not None, "a slip without a signature was refused"
    return {
        "url": statement.url,
        "serial": statement.serial,
        "environments": list(statement.environments),
        "expires": format_time(statement.expires),
    }
