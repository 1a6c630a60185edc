"""Who asks, and what they may do."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a person may do; each may do what those below it may."""

    VIEWER = 1
    """Looks."""
    OPERATOR = 2
    """Inserts, cancels, holds, releases, retries, pauses, resumes, runs now, rolls back."""
    APPROVER = 3
    """Also approves, takes down and lifts."""

    @property
    def word(self) -> str:
        return self.name.lower()


def role_of(word: str) -> Role | None:
    """The role of this name, in whatever case."""
    return Role.__members__.get(word.strip().upper())


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `how`: token, password, proxy, basic or bearer. `subject`: what their CSRF token is bound to."""

    name: str
    role: Role
    how: str
    subject: str

    @property
    def ambient(self) -> bool:
        """Whether a browser sends by itself what shows who this is: then a change needs a token that only our pages have."""
        return self.how in {"token", "password", "proxy"}

    def may(self, role: Role) -> bool:
        return self.role >= role
