"""NOTIFY: tell one notice what its row says. The module is live or gone already, so nothing that fails here can hurt it."""

from tasks.tools import notice_of
from tasks.work import Done, Work


def notify(work: Work) -> Done:
    """Send what the row says. Raises NoticeError, SecretError."""
    with work.step("notify"):
        name = notice_of(work.target) or work.target
        return Done(work.tools.notifier.send(name, work.task.parameters, work.tools.pause_point))
