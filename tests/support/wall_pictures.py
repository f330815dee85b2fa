"""Pictures of a dashboard: its committed JSON, the answers of a real Prometheus, Grafana's own
components, and headless Chromium.

Run ``python -m tests.support.wall_pictures`` (`make wall`): five scenes of the wall, at 1920 by
1080 and at 3840 by 2160 with zoom 2, to `build/wall`, and the smaller ones to the docs.
"""

import functools
import json
import math
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.dashboards import boards, filled, variables
from tests.support.need import missing, program
from tests.support.prometheus import Prometheus
from tests.support.wall_scenes import SCENES, STEP, ScenePrometheus, end_of

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "grafana/preview"
MODULES = ROOT / "build/preview"
OUT = ROOT / "build/wall"
DOCS = ROOT / "docs/use/pictures"
WIDTH, HEIGHT = 1920, 1080
SHOWN_SECONDS = 1_800
CHROMIUM_SECONDS = 240
LOADERS = ("svg", "woff2", "png", "ttf")
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="bundle.css">
<style>html, body {margin: 0; background: #111217; overflow: hidden}</style>
<div id="root"></div><script src="bundle.js"></script>
"""
Answers = Mapping[str, list[dict[str, Any]]]


def bundle() -> Path:
    """The page's folder; ends the test where the node packages are not there."""
    if not (MODULES / "node_modules/@grafana/ui").is_dir():
        missing("@grafana/ui (`python -m tests.support.provision preview`)")
    shutil.copy(SOURCE / "index.jsx", MODULES)
    folder = OUT / "page"
    folder.mkdir(parents=True, exist_ok=True)
    # Its own launcher hides what went wrong.
    (esbuild,) = (MODULES / "node_modules/@esbuild").glob("*/bin/esbuild")
    options = ["--bundle", "--format=iife", "--jsx=transform", "--log-level=error"]
    options += ['--define:process.env.NODE_ENV="production"', "--define:global=window"]
    options += [f"--loader:.{one}=dataurl" for one in LOADERS]
    command = [str(esbuild), "index.jsx", *options, f"--outfile={folder / 'bundle.js'}"]
    done = subprocess.run(command, cwd=MODULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "index.html").write_text(PAGE)
    return folder


def answers(prometheus: Prometheus, board: Mapping[str, Any], at: float) -> Answers:
    """What a Prometheus says to each panel at a moment, in the form of the page."""
    values = variables(prometheus, board)
    return {
        str(panel["id"]): [
            {"refId": target["refId"], "series": _series(prometheus, target, values, at)}
            for target in panel.get("targets", [])
        ]
        for panel in board["panels"]
    }


def _series(
    prometheus: Prometheus, target: Mapping[str, Any], values: Mapping[str, str], at: float
) -> list[dict[str, Any]]:
    expr = filled(target["expr"], values)
    if target.get("instant"):
        found = prometheus.get("/api/v1/query", query=expr, time=str(at))["data"]["result"]
        points = [(one["metric"], {float(one["value"][0]): one["value"][1]}) for one in found]
        times = [at]
    else:
        begin = at - SHOWN_SECONDS
        answer = prometheus.get(
            "/api/v1/query_range", query=expr, start=str(begin), end=str(at), step=str(STEP)
        )
        points = [
            (one["metric"], {float(when): value for when, value in one["values"]})
            for one in answer["data"]["result"]
        ]
        times = [begin + step * STEP for step in range(SHOWN_SECONDS // STEP + 1)]
    return [
        {
            "name": legend(target.get("legendFormat", ""), labels),
            "times": [round(when * 1000) for when in times],
            "values": [_number(known.get(when)) for when in times],
        }
        for labels, known in points
    ]


def _number(text: str | None) -> float | str | None:
    """JSON has no NaN, and null is something else."""
    if text is None:
        return None
    value = float(text)
    return "NaN" if math.isnan(value) else value


def legend(form: str, labels: Mapping[str, str]) -> str:
    """A series' name as Grafana makes it."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), form)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on loopback."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/index.html"
        finally:
            server.shutdown()


def put(folder: Path, board: Mapping[str, Any], given: Answers, at: float) -> None:
    """Lay a board and its answers beside the page."""
    scene = {
        "board": board,
        "answers": given,
        "width": WIDTH,
        "from": round((at - SHOWN_SECONDS) * 1000),
        "to": round(at * 1000),
    }
    (folder / "scene.json").write_text(json.dumps(scene))


def photograph(url: str, file: Path, zoom: int = 1, height: int = HEIGHT) -> None:
    """The page as a picture; `zoom` 2 is a screen of 3840 by 2160 at 200 %."""
    _chromium(url, f"--screenshot={file}", f"--force-device-scale-factor={zoom}", height=height)
    assert file.is_file(), f"no picture of {url}"


def texts(url: str) -> list[dict[str, Any]]:
    """Each text on the page with its panel, size (px), colours and whether it is inside."""
    page = _chromium(url, "--dump-dom")
    found = re.search(
        r'<script type="application/json" id="measured">(.*?)</script>', page, re.DOTALL
    )
    assert found is not None, "the page did not draw"
    measured: list[dict[str, Any]] = json.loads(found[1])
    return measured


def _chromium(url: str, *options: str, height: int = HEIGHT) -> str:
    command = [
        *(str(program("chromium")), "--headless=new", "--no-sandbox", "--hide-scrollbars"),
        *("--disable-gpu", f"--window-size={WIDTH},{height}", "--virtual-time-budget=12000"),
        *options,
        url,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=CHROMIUM_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def smaller(source: Path, target: Path) -> None:
    """A picture in 256 colours: a tenth of its size."""
    options = ["--force", "--quality=60-95", "--output", str(target)]
    command = [str(program("pngquant")), *options, str(source)]
    subprocess.run(command, check=True)


def main() -> int:
    """Draw all scenes."""
    folder, wall = bundle(), boards()["wall.json"]
    with ScenePrometheus() as prometheus, served(folder) as url:
        for scene in SCENES:
            at = end_of(scene)
            put(folder, wall, answers(prometheus, wall, at), at)
            photograph(url, OUT / f"{scene.name}.png")
            photograph(url, OUT / f"{scene.name}-4k.png", zoom=2)
            smaller(OUT / f"{scene.name}.png", DOCS / f"wall-{scene.name}.png")
            print(f"drew {scene.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
