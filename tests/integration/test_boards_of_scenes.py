"""Queries of wall and desk on a calm day and during an unwind, with a year of closes and prices.

A replay of the samples (`test_wall.py`) has neither; scripted readings have both.
"""

from collections.abc import Iterator

import pytest

from tests.support.dashboards import boards, empty, queries
from tests.support.wall_scenes import SCENES, Scene, ScenePrometheus, end_of

PLAYED = [scene for scene in SCENES if scene.name in {"calm", "unwind"}]
BOARDS = boards()
QUIET = {
    *("3 B", "3 C", "30 D", "31 B", "31 C", "45 B"),
    *("43 B", "43 C", "Implied correlation B", "Implied correlation C"),
    *("Vol of sectors A", "Next events A", "annotation Configuration"),
}
"""Words of what is wrong; bounds from missing names, sectors and events, which a replay has."""
CALM = {"30 A", "30 B", "Alerts that fired A", "annotation Market alerts"}
"""Nothing fires."""
UNWIND = {"30 B", "30 C"}
"""One alert fires: neither none nor more than three."""


@pytest.fixture(scope="module")
def prometheus() -> Iterator[ScenePrometheus]:
    with ScenePrometheus(PLAYED) as made:
        yield made


@pytest.mark.parametrize("scene", PLAYED, ids=lambda scene: scene.name)
@pytest.mark.parametrize("board", ["wall.json", "desk.json"])
def test_no_query_is_empty(prometheus: ScenePrometheus, board: str, scene: Scene) -> None:
    quiet = QUIET | (CALM if scene.name == "calm" else UNWIND)
    places = {query.place for query in queries(BOARDS[board])}
    found = set(empty(prometheus, BOARDS[board], end_of(scene)))
    assert found == quiet & places, found ^ (quiet & places)
