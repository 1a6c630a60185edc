"""The judge of a run: rows, events, the target's own log and what visitors saw go in, violations come out.

Nothing here knows how an engine works. `rows.py` reads a history from a queue, `sftp_log.py` from a server's log.
"""

from reliability import queue_rules, target_rules
from reliability.happenings import History, Violation


def check(history: History) -> list[Violation]:
    """Every broken rule, those of the queue first; empty for a history in which all promises were kept."""
    return [violation for rule in (*queue_rules.RULES, *target_rules.RULES) for violation in rule(history)]
