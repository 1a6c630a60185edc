"""Word to others when something happened: cache purges, webhooks, alerts. Its failure never fails a publish."""

from notices.alerter import Alerter
from notices.errors import NoticeBusy, NoticeError, NoticeRefused, NoticeStumbled, NoticeUnreachable
from notices.event import MOST_PATHS, MOST_TITLE, Event, bounded
from notices.letters import HARMLESS
from notices.notifier import Notifier
from notices.orders import Seen, order
from notices.watch import Watch

__all__ = [
    "HARMLESS",
    "MOST_PATHS",
    "MOST_TITLE",
    "Alerter",
    "Event",
    "NoticeBusy",
    "NoticeError",
    "NoticeRefused",
    "NoticeStumbled",
    "NoticeUnreachable",
    "Notifier",
    "Seen",
    "Watch",
    "bounded",
    "order",
]
