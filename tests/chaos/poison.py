"""Records that end whoever processes them.

Each must be found, dead-lettered and passed, and nothing beside it.
"""

from tests.chaos.chaos_session import ROLES, ChaosSession
from tests.support.counting import POISON


def raises(session: ChaosSession, _seconds: float) -> None:
    """The stage raises on it."""
    _put(session, b"")


def kills(session: ChaosSession, _seconds: float) -> None:
    """It takes the process with it, as a fault in native code would."""
    _put(session, b" kill")


def _put(session: ChaosSession, ending: bytes) -> None:
    role = session.rng.choice(list(ROLES))
    value = POISON + f" {session.rng.random()}".encode() + ending  # its value is its name
    session.fleet.put(role, [value], session.rng.randrange(ROLES[role]))
