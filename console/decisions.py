"""What only an approver decides, by whatever way it is asked for: a form, a call, or another try of what was asked for before."""

from console.errors import NotAllowed
from console.people import Person, Role
from database import PAUSING, Action

DECIDING = frozenset({Action.APPROVE, Action.TAKEDOWN})
WORDS = frozenset({Action.APPROVE, *PAUSING})
"""What somebody said at a moment, and is no work: whoever asks for a whole list again does not mean these."""


def check_may(person: Person, action: str | None) -> None:
    """Raises NotAllowed for a row with this action from somebody who is no approver."""
    if action in not_for(person):
        raise NotAllowed(f"{person.name} is an {person.role.word}; {action} takes an approver.")


def not_for(person: Person) -> frozenset[Action]:
    """The actions that this person may not ask for."""
    return frozenset() if person.may(Role.APPROVER) else DECIDING


def never_again(person: Person) -> frozenset[Action]:
    """The actions that a retry of many leaves out."""
    return not_for(person) | WORDS
