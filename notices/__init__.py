"""Word to others when something happened: cache purges, webhooks, alerts. Its failure never fails a publish."""

from notices.errors import NoticeBusy, NoticeError, NoticeRefused, NoticeStumbled, NoticeUnreachable
from notices.event import MOST_PATHS, MOST_TITLE, Event, bounded
from notices.notifier import Notifier
from notices.orders import Seen, order

__all__ = [
    "MOST_PATHS",
    "MOST_TITLE",
    "Event",
    "NoticeBusy",
    "NoticeError",
    "NoticeRefused",
    "NoticeStumbled",
    "NoticeUnreachable",
    "Notifier",
    "Seen",
    "bounded",
    "order",
]
