"""The page of a report in headless Chromium: what it measures, and pictures of it.

Run ``python -m tests.support.report_page PAGE FOLDER NAME`` for pictures as they stand in the docs.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec

from tests.support.need import program

WIDTHS: Final = {"wide": 1280, "narrow": 390, "print": 725}
"""Pixels; of A4 less its margins."""
CHARTS: Final = 4
SECONDS: Final = 120
_PROBE: Final = """
const found = {};
for (const frame of document.querySelectorAll("iframe")) {
  const page = frame.contentDocument, wide = page.documentElement.clientWidth;
  const outside = [...page.querySelectorAll("body *")].filter(one =>
    one.getBoundingClientRect().right > wide + 1 && !one.closest(".scroll, svg"));
  const charts = [...page.querySelectorAll("svg")].map(svg => {
    const all = svg.getBoundingClientRect();
    const shown = [...svg.querySelectorAll("path, use")].map(one => one.getBoundingClientRect());
    const texts = [...svg.querySelectorAll("text")].map(one => one.getBoundingClientRect());
    return {label: svg.getAttribute("aria-label"), width: all.width, height: all.height,
      shapes: shown.filter(one => one.width * one.height > 100 || one.width > 30).length,
      texts: texts.length,
      cut: texts.filter(one => one.left < all.left - 1 || one.right > all.right + 1
        || one.top < all.top - 1 || one.bottom > all.bottom + 1).length};
  });
  const cells = [...page.querySelectorAll("td, th")].filter(one =>
    one.scrollWidth > one.clientWidth + 1);
  const tables = [...page.querySelectorAll(".scroll")].filter(one =>
    one.scrollWidth > one.clientWidth + 1);
  found[frame.name] = {tables: tables.map(one => one.textContent.trim().slice(0, 60)), wide,
    scroll: page.documentElement.scrollWidth,
    outside: outside.map(one => one.outerHTML.slice(0, 120)), charts,
    cells: cells.map(one => one.textContent), words: page.body.innerText};
}
const node = document.createElement("script");
node.type = "application/json"; node.id = "measured";
node.textContent = JSON.stringify(found).replaceAll("<", "\\\\u003c");
document.body.replaceChildren(node);
"""


class DrawnChart(msgspec.Struct):
    """One chart as it stands on the page; pixels."""

    label: str
    width: float
    height: float
    shapes: int
    """Marks that are large enough to be seen."""
    texts: int
    cut: int
    """Texts that reach out of it."""


class DrawnPage(msgspec.Struct):
    """The page at one width."""

    scroll: int
    wide: int
    outside: list[str]
    """Elements that reach beyond the page and cannot be scrolled to within a table."""
    charts: list[DrawnChart]
    tables: list[str]
    """Those that are wider than their place."""
    cells: list[str]
    """Cells whose words do not fit."""
    words: str


class Size(NamedTuple):
    """Of a window, in pixels."""

    width: int
    height: int


def assert_well_drawn(page: str) -> None:
    """At each width nothing is cut off, no chart is empty, and no number is none."""
    found = measured(page)
    assert found.keys() == WIDTHS.keys()
    for name, one in found.items():
        assert (one.scroll, one.outside, one.cells) == (one.wide, [], []), name
        assert name == "narrow" or not one.tables, f"{name}: {one.tables}"
        assert len(one.charts) == CHARTS
        for chart in one.charts:
            assert chart.label.split(".")[0] in one.words
            assert chart.height > 100, f"{name}: {chart}"
            assert chart.shapes >= 6, f"{name}: {chart}"
            assert (chart.texts > 5, chart.cut) == (True, 0), f"{name}: {chart}"
        for wrong in ("nan", "none", "undefined", "inf"):
            assert not re.search(rf"(?<![\w]){wrong}(?![\w.])", one.words.lower()), wrong


def measured(page: str) -> dict[str, DrawnPage]:
    """The page as a desk, a phone and a printer show it."""
    printed = _printed(page)
    frames = "".join(
        f'<iframe name="{name}" style="width:{width}px;height:900px;border:0" '
        f'srcdoc="{_quoted(printed if name == "print" else page)}"></iframe>'
        for name, width in WIDTHS.items()
    )
    host = f'<!doctype html><meta charset="utf-8"><body>{frames}'
    host += f'<script>window.addEventListener("load", () => {{{_PROBE}}})</script>'
    with TemporaryDirectory() as folder:
        file = Path(folder) / "host.html"
        file.write_text(host, encoding="utf-8")
        told = _chromium(file, Size(1400, 900), "--dump-dom")
    found = re.search(r'id="measured">(.*?)</script>', told, re.DOTALL)
    assert found is not None, told[-2000:]
    return msgspec.json.decode(found[1], type=dict[str, DrawnPage])


def _printed(page: str) -> str:
    return page.replace("@media print", "@media all")


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;")


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of Chromium has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def photograph(page: Path, target: Path, size: Size) -> None:
    """A picture of the page's beginning; a narrow one stands in a frame, for windows are wider."""
    host = page.with_name("photo.html")
    host.write_text(
        '<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{border:0}</style>'
        f'<iframe style="width:{size.width}px;height:{size.height}px" src="{page.name}"></iframe>',
        encoding="utf-8",
    )
    _chromium(host, size, f"--screenshot={target}")
    options = ["--force", "--quality=60-95", "--output", str(target), str(target)]
    subprocess.run([str(program("pngquant")), *options], check=True)
    host.unlink()


def _chromium(page: Path, size: Size, *options: str) -> str:
    command = [
        *(str(program("chromium")), "--headless=new", "--no-sandbox", "--disable-gpu"),
        *("--hide-scrollbars", "--virtual-time-budget=5000", "--force-color-profile=srgb"),
        *("--allow-file-access-from-files", f"--window-size={size.width},{size.height}"),
        *options,
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def main() -> int:
    """Pictures of a page on a desk, a phone and paper, and what is measured of it."""
    page, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    text = page.read_text(encoding="utf-8")
    with TemporaryDirectory() as scratch:
        paper = Path(scratch) / "paper.html"
        paper.write_text(_printed(text), encoding="utf-8")
        for source, part, size in (
            (page, "", Size(1280, 1800)),
            (page, "-narrow", Size(390, 1500)),
            (paper, "-print", Size(WIDTHS["print"], 1054)),
        ):
            photograph(source, (folder / f"{name}{part}.png").absolute(), size)
    for width, one in measured(text).items():
        told = msgspec.to_builtins(one)
        told["words"] = len(one.words)
        print(width, json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
