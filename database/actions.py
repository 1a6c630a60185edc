"""What a row can ask for, and what sets of actions have in common."""

from enum import StrEnum


class Action(StrEnum):
    """What a row can ask for."""

    PUBLISH = "PUBLISH"
    DELIVER = "DELIVER"
    UNPUBLISH = "UNPUBLISH"
    ROLLBACK = "ROLLBACK"
    TAKEDOWN = "TAKEDOWN"
    APPROVE = "APPROVE"
    REPUBLISH = "REPUBLISH"
    VERIFY = "VERIFY"
    SNAPSHOT = "SNAPSHOT"
    RETIRE = "RETIRE"
    FETCH = "FETCH"
    SITEMAP = "SITEMAP"
    ZIPLIST = "ZIPLIST"
    REDIRECTS = "REDIRECTS"
    LINKCHECK = "LINKCHECK"
    EXPORT = "EXPORT"
    CALL = "CALL"
    PURGE = "PURGE"
    EXPIRE = "EXPIRE"
    NOTIFY = "NOTIFY"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


NOTICE = "notice:"
"""What the target of a NOTIFY begins with: the name of a notice follows, and nothing is written to any target."""

PAUSING = frozenset({Action.PAUSE, Action.RESUME})
"""Actions that intake itself carries out, for a whole environment."""

GENERATING = frozenset({Action.FETCH, Action.SITEMAP, Action.ZIPLIST, Action.REDIRECTS, Action.LINKCHECK, Action.EXPORT})
"""Actions that make a module's files themselves and publish them like any other module's."""

ABSORBING = frozenset(
    {Action.PUBLISH, Action.DELIVER, Action.UNPUBLISH, Action.ROLLBACK, Action.SNAPSHOT, Action.RETIRE, *GENERATING}
)
"""Actions that change the module: the newest of them wins per (environment, target, module)."""

RESTORING = ABSORBING - {Action.UNPUBLISH}
"""Actions that can bring a module to a target: none of them is done for one that is taken down."""

FOLLOWING = frozenset({Action.DELIVER, Action.NOTIFY})
"""Actions that only follow another task; a person's row can at most repeat one."""

SOURCELESS = frozenset(
    {
        Action.UNPUBLISH,
        Action.ROLLBACK,
        Action.TAKEDOWN,
        Action.VERIFY,
        Action.SITEMAP,
        Action.ZIPLIST,
        Action.REDIRECTS,
        Action.LINKCHECK,
        Action.PURGE,
        Action.EXPIRE,
        Action.NOTIFY,
    }
)
"""Actions that work with what is on the target: they run also while a lane's `needs` are down.

A VERIFY that repairs, and a ROLLBACK, ask the source only for bytes that nobody else has.
"""
