"""The wall as a page: sizes, contrasts and words, read from what Chromium has drawn.

`make wall` runs it: it wants the node packages, which nothing else needs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from grafana.colours import LEAST_CONTRAST, contrast
from tests.support.dashboards import boards
from tests.support.wall_pictures import answers, bundle, put, served, texts
from tests.support.wall_scenes import SCENES, Scene, ScenePrometheus, end_of

pytestmark = pytest.mark.timeout(900)
LEAST_PIXELS = 51
CHARTS = {42, 43}
"""Panels whose only texts are axes."""
STALE_PANELS = {1, 4, *range(10, 15), *range(20, 25), 31, 44}
"""Panels that must not tell a number without a fresh reading."""


@dataclass(frozen=True)
class Page:
    scene: Scene
    texts: list[dict[str, Any]]

    def of(self, panel: int) -> list[str]:
        return [one["text"] for one in self.texts if one["panel"] == panel]


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.name)
def page(request: pytest.FixtureRequest, prometheus: ScenePrometheus) -> Iterator[Page]:
    scene: Scene = request.param
    folder, wall = bundle(), boards()["wall.json"]
    at = end_of(scene)
    put(folder, wall, answers(prometheus, wall, at), at)
    with served(folder) as url:
        yield Page(scene, texts(url))


@pytest.fixture(scope="module")
def prometheus() -> Iterator[ScenePrometheus]:
    with ScenePrometheus() as made:
        yield made


def hexadecimal(colour: str) -> str:
    """`rgb(1, 2, 3)` as `#010203`."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


def test_every_text_is_read_from_five_metres(page: Page) -> None:
    found = [one for one in page.texts if one["panel"] not in CHARTS]
    assert len(found) >= 30
    small = [one for one in found if one["size"] < LEAST_PIXELS]
    assert small == []
    assert [one for one in found if not one["inside"]] == [], "cut off"


def test_every_text_stands_out(page: Page) -> None:
    for one in page.texts:
        if one["panel"] not in CHARTS:
            colours = hexadecimal(one["colour"]), hexadecimal(one["background"])
            assert contrast(*colours) >= LEAST_CONTRAST, one


def test_the_words_are_those_of_the_scene(page: Page) -> None:
    verdict = {"calm": "STABLE", "unwind": "UNWINDING", "scenario": "UNWINDING"}
    assert page.of(1) == [f"SPX {page.scene.mode}", verdict.get(page.scene.name, "STALE")]
    assert page.of(2) == ["feed", page.scene.mode.upper()]
    if page.scene.name == "calm":
        assert page.of(30) == ["alerts", "NONE"]
    if page.scene.name in verdict and page.scene.name != "calm":
        assert page.of(30)[0].startswith("VIX spike unwind")
        assert page.of(30)[1] == "CRITICAL"


def test_no_number_stands_while_readings_are_stale(page: Page) -> None:
    if not page.scene.silent:
        return
    assert page.of(30) == [
        *(page.scene.alert.removeprefix("Dispersion"), "CRITICAL"),
        *("market alerts", "STALE"),
    ]
    for panel in STALE_PANELS:
        told = page.of(panel)
        assert "STALE" in told, panel
        assert not [text for text in told if re.fullmatch(r"[\d.]+", text)], panel
    assert page.of(3) == ["age s", str(page.scene.silent)]
    waiting = ["Kafka", "AWAY"] if not page.scene.kafka else ["waiting", "18"]
    assert page.of(45) == waiting
