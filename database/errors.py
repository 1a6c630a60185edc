"""What the database can answer.

DatabaseError
├── DatabaseUnavailable     down, or too busy after the retries; try again later
├── SchemaMismatch          not the schema this version needs: 'slipway db upgrade'
├── QueueRestored           the database was put back from an older copy: a person must say how it goes on
├── LeaseLost               this engine's lease is over: stop all work, report nothing
│   └── TaskLost            only this task is not the engine's any more: stop it, report nothing of it
└── NoSuchTask              no task with this id, or not in a state that allows the verb; the message says which
"""


class DatabaseError(Exception):
    """Something about the queue's database; the message says what to do."""


class DatabaseUnavailable(DatabaseError):
    """The server is down, refuses us, or stayed busy through every retry."""


class SchemaMismatch(DatabaseError):
    """The schema is older or newer than this version of Slipway."""


class QueueRestored(DatabaseError):
    """The database knows less than what was seen of it."""


class LeaseLost(DatabaseError):
    """The engine's lease ended: its tasks belong to others now."""


class TaskLost(LeaseLost):
    """The task was taken from the engine, whose lease is in force: a takedown ended it."""


class NoSuchTask(DatabaseError):
    """The task does not exist, or its state does not allow this."""
