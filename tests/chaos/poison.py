"""Records that end whoever processes them: each must be found, dead-lettered and passed, and nothing beside it."""

from tests.chaos.scene import ROLES, Scene
from tests.support.counting import POISON


def raises(scene: Scene, _seconds: float) -> None:
    """The stage raises on it."""
    _put(scene, b"")


def kills(scene: Scene, _seconds: float) -> None:
    """It takes the process with it, as a fault in native code would."""
    _put(scene, b" kill")


def _put(scene: Scene, ending: bytes) -> None:
    role = scene.rng.choice(list(ROLES))
    value = POISON + f" {scene.rng.random()}".encode() + ending  # its value is its name
    scene.fleet.put(role, [value], scene.rng.randrange(ROLES[role]))
