"""Every error has its outcome, in one table, with a sentence that a person can act on."""

import pytest

import archives
import sources
import store
import targets
from archives import PackageError
from config import EnvironmentSettings, ExportSettings, RetireSettings, SecretError, Settings
from database import DatabaseUnavailable, Outcome
from packageslip import BadSlip, Fault, UnsafePath
from tasks import breakers, needs, verdict_of
from tasks.errors import Cancelled, Drifted, NotAsked, NotDeposited, NotYet, PlanHeld, PlanRefused, Released, VersionGone

BREAKERS = {
    "origin": "origin",
    "staging": "staging",
    "source:cms": "source:cms",
    "web1": "web",
    "archive:dspace": "archive:dspace",
}


@pytest.mark.parametrize(
    ("error", "outcome", "breaker"),
    [
        (targets.TargetUnreachable("cut", target="origin"), Outcome.UNREACHABLE, "origin"),
        (targets.TargetUnreachable("cut"), Outcome.UNREACHABLE, "origin"),
        (targets.TargetUnreachable("a member", target="web1"), Outcome.UNREACHABLE, "web"),
        (targets.TargetUnreachable("nothing waits for it", target="other"), Outcome.UNREACHABLE, None),
        (targets.TargetBusy("busy"), Outcome.RETRY, None),
        (targets.CorruptTransfer("bits"), Outcome.RETRY, None),
        (targets.HostKeyRefused("key"), Outcome.FAILED, None),
        (targets.LoginRefused("login"), Outcome.FAILED, None),
        (targets.PermissionRefused("no"), Outcome.FAILED, None),
        (targets.NoSpace("full"), Outcome.RETRY, None),
        (targets.TargetUnfit("unfit"), Outcome.FAILED, None),
        (targets.PathBlocked("folder"), Outcome.FAILED, None),
        (targets.AreaMissing("adopt"), Outcome.FAILED, None),
        (targets.SerialTooHigh("newer"), Outcome.HELD, None),
        (targets.TargetError("some"), Outcome.FAILED, None),
        (sources.SourceUnreachable("down", source="cms"), Outcome.UNREACHABLE, "source:cms"),
        (sources.SourceUnreachable("down", source="target:staging"), Outcome.UNREACHABLE, "staging"),
        (sources.SourceUnreachable("down", source="other"), Outcome.UNREACHABLE, None),
        (sources.SourceUnreachable("a page", source=sources.WEB), Outcome.RETRY, None),
        (sources.SourceSlow("wait", source="cms"), Outcome.RETRY, None),
        (sources.SourceChanged("changed"), Outcome.RETRY, None),
        (sources.NoSuchModule("none"), Outcome.FAILED, None),
        (sources.ResourceMissing("404"), Outcome.FAILED, None),
        (sources.AccessRefused("403"), Outcome.FAILED, None),
        (sources.WrongBytes("digest"), Outcome.FAILED, None),
        (sources.SourceError("some"), Outcome.FAILED, None),
        (BadSlip("slip", [Fault(3, "R", "wrong")]), Outcome.FAILED, None),
        (UnsafePath("..", "N1", "climbs"), Outcome.FAILED, None),
        (PackageError("no page"), Outcome.FAILED, None),
        (store.BlobMissing(b"\0" * 32), Outcome.RETRY, None),
        (store.StoreFull("full"), Outcome.RETRY, None),
        (store.StoreHindered("too many open files"), Outcome.RETRY, None),
        (store.StoreUnwritable("no right"), Outcome.FAILED, None),
        (archives.ArchiveUnreachable("down", archive="dspace"), Outcome.UNREACHABLE, "archive:dspace"),
        (archives.ArchiveUnreachable("down", archive="other"), Outcome.UNREACHABLE, None),
        (archives.ArchiveBusy("503", archive="dspace"), Outcome.RETRY, None),
        (archives.AnswerLost("cut", archive="dspace"), Outcome.RETRY, None),
        (archives.AlreadyDeposited("there", archive="dspace"), Outcome.FAILED, None),
        (archives.DepositRefused("415", archive="dspace"), Outcome.FAILED, None),
        (archives.NoLookup("how", archive="dspace"), Outcome.FAILED, None),
        (archives.NoCollection("where", archive="dspace"), Outcome.FAILED, None),
        (NotYet("not listed", 60), Outcome.UNREACHABLE, None),
        (NotDeposited("stays"), Outcome.FAILED, None),
        (DatabaseUnavailable("down"), Outcome.RELEASED, None),
        (SecretError("no file"), Outcome.FAILED, None),
        (PlanHeld("held", "00", {}), Outcome.HELD, None),
        (PlanRefused("refused"), Outcome.FAILED, None),
        (VersionGone("gone"), Outcome.FAILED, None),
        (NotAsked("no"), Outcome.FAILED, None),
        (Drifted("drift"), Outcome.FAILED, None),
        (Cancelled("c"), Outcome.CANCELLED, None),
        (Released("r"), Outcome.RELEASED, None),
        (OSError("disk"), Outcome.RETRY, None),
        (MemoryError(), Outcome.RETRY, None),
        (ZeroDivisionError("bug"), Outcome.FAILED, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_has_its_outcome(error: Exception, outcome: Outcome, breaker: str | None) -> None:
    verdict = verdict_of(error, task_target="origin", breakers=BREAKERS)
    assert (verdict.outcome, verdict.breaker) == (outcome, breaker)
    assert verdict.error == type(error).__name__
    assert verdict.sentence.startswith(str(error) or "MemoryError")
    assert verdict.unforeseen == isinstance(error, ZeroDivisionError)


def test_every_error_of_the_packages_below_is_foreseen() -> None:
    for package in (targets, sources, store, archives):
        for name in package.__all__:
            kind = getattr(package, name)
            if isinstance(kind, type) and issubclass(kind, Exception) and kind is not targets.Fenced:
                made = kind(b"\0" * 32) if kind is store.BlobMissing else kind("words")
                assert not verdict_of(made, task_target="t", breakers={}).unforeseen, name


def test_what_the_source_asked_for_is_passed_on() -> None:
    verdict = verdict_of(sources.SourceSlow("wait", retry_after=30), task_target="t", breakers={})
    assert verdict.retry_after == 30
    for error in (archives.ArchiveBusy("503", retry_after=30), archives.AnswerLost("502", retry_after=30), NotYet("wait", 30)):
        assert verdict_of(error, task_target="t", breakers={}).retry_after == 30


def test_the_sentence_says_what_happens_next() -> None:
    assert verdict_of(targets.TargetBusy("origin is busy"), task_target="t", breakers={}).sentence == (
        "origin is busy; it is tried again by itself while attempts are left"
    )
    assert verdict_of(targets.TargetBusy("It is busy."), task_target="t", breakers={}).sentence == (
        "It is busy; it is tried again by itself while attempts are left"
    )
    assert verdict_of(targets.NoSpace("origin is full; make room there"), task_target="t", breakers={}).sentence == (
        "origin is full; make room there; it is tried again by itself while attempts are left"
    )
    assert verdict_of(targets.PathBlocked("origin: a link. Move it away"), task_target="t", breakers={}).sentence == (
        "origin: a link. Move it away; once that is mended, insert the task again ('slipway queue retry')"
    )


def settings() -> Settings:
    return Settings.model_validate(
        {
            "targets": {
                "web": {"kind": "group", "members": ["web1", "web2"]},
                **{name: {"kind": "memory"} for name in ("web1", "web2", "staging", "area")},
            },
            "environments": {
                "STAGING": {"source": "cms", "origin": "staging", "holding_areas": [{"target": "area"}]},
                "PRODUCTION": {"source": "target:staging", "origin": "web", "views": "cms"},
            },
        }
    )


def environment(name: str) -> EnvironmentSettings:
    return settings().environments[name]


def test_an_origin_waits_for_its_sources_and_a_holding_area_for_nothing() -> None:
    assert needs(environment("STAGING"), "staging") == ("source:cms",)
    assert needs(environment("PRODUCTION"), "web") == ("source:cms", "staging")
    assert needs(environment("STAGING"), "area") == ()


def test_an_environment_that_retires_waits_for_its_archive_too() -> None:
    retiring = environment("STAGING").model_copy(update={"retire": RetireSettings(archive="dspace")})
    assert needs(retiring, "staging") == ("archive:dspace", "source:cms")
    assert needs(retiring, "area") == ()
    exporting = retiring.model_copy(update={"exports": ExportSettings(target="exports")})
    assert needs(exporting, "exports") == ("source:cms",)
    assert needs(exporting, "staging") == ("archive:dspace", "source:cms")


def test_an_outage_of_a_member_is_one_of_its_group() -> None:
    assert breakers(settings(), environment("PRODUCTION"), "web") == {
        "source:cms": "source:cms",
        "staging": "staging",
        "web": "web",
        "web1": "web",
        "web2": "web",
    }
    assert breakers(settings(), environment("STAGING"), "area") == {"area": "area"}
