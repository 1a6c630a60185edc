"""What a task's plan changes: file by file with the reason, and added up."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from database import TaskView
from tasks import Reason

KINDS = ("added", "changed", "removed", "stale", "left", "kept")
"""What becomes of a file, as a person sees it."""
_KIND_OF = {
    Reason.NEW: "added",
    Reason.CHANGED: "changed",
    Reason.FULL: "changed",
    Reason.DAMAGED: "changed",
    Reason.OVERWRITES: "changed",
    Reason.UNKNOWN: "changed",
    Reason.SAME: "kept",
    Reason.ADOPTED: "kept",
    Reason.RETURNS: "kept",
    Reason.STALE: "removed",
    Reason.UNPUBLISHED: "removed",
    Reason.OVER: "removed",
    Reason.NESTED: "left",
    Reason.GRACE: "stale",
    Reason.LINGERS: "stale",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """So many files of so many bytes."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.files + other.files, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file's fate. `kind`: of KINDS; `reason`: the planner's word, `sentence` the same for a person."""

    path: str
    kind: str
    reason: str
    sentence: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """What one plan does to one target. `files`: the first, what moves before all; `not_listed`: how many more there are."""

    target: str
    tallies: Mapping[str, Tally]
    """By kind; kinds without files are left out."""
    files: tuple[FileChange, ...] = ()
    not_listed: int = 0
    objections: tuple[str, ...] = ()
    digest: str = ""
    """What an approval names; empty for a plan that was carried out."""
    reasons: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskChanges:
    """What a task changes. `stage`: held (a person is asked), rehearsed (a dry run) or done."""

    stage: str
    digest: str
    """What an approval names, of a held plan."""
    plans: tuple[PlanChanges, ...]


def task_changes(view: TaskView) -> TaskChanges | None:
    """What the task will do, would do or did; None: no plan is known of it."""
    if view.plan is not None and view.task.state == "HELD":
        return TaskChanges("held", view.plan.digest, tuple(_of_document(json.loads(view.plan.document))))
    for attempt in reversed(view.attempts):
        summary = attempt.summary
        if isinstance(plan := summary.get("plan"), dict):
            return TaskChanges("rehearsed", "", tuple(_of_document(plan)))
        if isinstance(summary.get("put"), int):
            return TaskChanges("done", "", (_of_summary(view.task.target or "", summary),))
    return None


def _of_document(document: Mapping[str, Any]) -> Iterator[PlanChanges]:
    """One plan, or those of a group's members."""
    for one in document.get("members", [document]):
        listed = [
            _file(each["path"], each["change"], each["reason"], each["size"], each["sentence"]) for each in one.get("changes", ())
        ]
        reasons = _reasons(one.get("reasons")) or _added_up(listed)
        yield PlanChanges(
            one.get("target", ""),
            _by_kind(reasons),
            tuple(listed),
            int(one.get("not_listed", 0)),
            tuple(each["sentence"] for each in one.get("objections", ())),
            one.get("digest", ""),
            reasons,
        )


def _of_summary(target: str, summary: Mapping[str, Any]) -> PlanChanges:
    """What an attempt kept of the plan that it carried out."""
    changes = summary.get("changes")
    listed = [_file(*each) for each in changes if len(each) == 4] if isinstance(changes, list) else []
    reasons = _reasons(summary.get("reasons"))
    tallies = _by_kind(reasons) or _counted(summary)
    moving = sum(tally.files for kind, tally in tallies.items() if kind != "kept")
    return PlanChanges(target, tallies, tuple(listed), max(0, moving - len(listed)), reasons=reasons)


def _file(path: str, verb: str, reason: str, size: int | None, sentence: str = "") -> FileChange:
    known = Reason(reason) if reason in set(Reason) else None
    kind = _KIND_OF[known] if known else verb
    return FileChange(path, kind, reason, sentence or (f"{path} {known.sentence}" if known else path), size)


def _reasons(found: object) -> dict[str, Tally]:
    """Files and bytes by reason, as plans and attempts write them."""
    return {str(name): Tally(*each) for name, each in found.items()} if isinstance(found, dict) else {}


def _added_up(files: Sequence[FileChange]) -> dict[str, Tally]:
    sums: dict[str, Tally] = {}
    for each in files:
        sums[each.reason] = sums.get(each.reason, Tally()) + Tally(1, each.size or 0)
    return sums


def _by_kind(reasons: Mapping[str, Tally]) -> dict[str, Tally]:
    sums: dict[str, Tally] = {}
    for reason, tally in reasons.items():
        kind = _KIND_OF[Reason(reason)] if reason in set(Reason) else "changed"
        sums[kind] = sums.get(kind, Tally()) + tally
    return {kind: sums[kind] for kind in KINDS if kind in sums}


def _counted(summary: Mapping[str, Any]) -> dict[str, Tally]:
    """By the counts alone, as older attempts have them: what was put may be new or changed."""
    names = {"put": "changed", "drop": "removed", "stale": "stale", "leave": "left", "keep": "kept"}
    found = {
        kind: Tally(int(summary.get(verb) or 0), int(summary.get("bytes") or 0) * (verb == "put")) for verb, kind in names.items()
    }
    return {kind: tally for kind, tally in found.items() if tally.files}


def changes_fields(changes: TaskChanges) -> dict[str, object]:
    """The same as JSON."""
    return {"stage": changes.stage, "digest": changes.digest or None, "plans": [_plan_fields(plan) for plan in changes.plans]}


def _plan_fields(plan: PlanChanges) -> dict[str, object]:
    return {
        "target": plan.target,
        "tallies": {kind: {"files": tally.files, "bytes": tally.bytes} for kind, tally in plan.tallies.items()},
        "files": [
            {"path": each.path, "kind": each.kind, "reason": each.reason, "sentence": each.sentence, "size": each.size}
            for each in plan.files
        ],
        "not_listed": plan.not_listed,
        "objections": list(plan.objections),
    }
