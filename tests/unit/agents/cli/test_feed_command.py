"""`dispersion feed` as it is typed, against a local server."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from agents.cli.main import main
from tests.support import dbn_bytes
from tests.support.feed_run import MONDAY, eastern
from tests.support.vendor_documents import cboe_chain, cboe_levels, cboe_options


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        now = datetime.now(UTC)
        name = self.path.rpartition("/")[2].removesuffix(".json")
        day = f"{now + timedelta(30):%y%m%d}"
        body = cboe_levels(now)
        if "options" in self.path:
            near = [
                {**one, "option": f"{one['option'][:-15]}{day}{one['option'][-9:]}"}
                for one in cboe_options(name)
            ]
            body = cboe_chain(name, now, near)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    monkeypatch.setenv("DISPERSION_FEED__CBOE__HOST", f"http://127.0.0.1:{found.server_port}")
    yield
    found.shutdown()
    thread.join()
    found.server_close()


def test_check_asks_for_one_name_once_terms_are_accepted(
    server: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feed", "check", "cboe"]) == 2
    assert "feed.cboe.accept_terms is not set" in capsys.readouterr().err
    monkeypatch.setenv("DISPERSION_FEED__CBOE__ACCEPT_TERMS", "true")
    assert main(["feed", "check", "cboe", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["published"] + told["left_out"].get("after_close", 0) >= len(cboe_options("SPY"))
    assert told["requests"] == {"ok": 2}


def test_a_mode_that_is_not_the_feeds_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feed", "run", "cboe"]) == 2
    assert 'set mode = "delayed"' in capsys.readouterr().err
    assert main(["feed", "run", "bloomberg"]) == 2
    assert "no feed 'bloomberg'" in capsys.readouterr().err


def test_a_file_is_run_in_place_of_the_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = dbn_bytes.contracts(["SPY"])
    numbers = np.arange(1, 1 + len(known), dtype=np.uint32)
    bid, ask = (np.array([pair[at] for pair in known.values()]) for at in (0, 1))
    times = np.full(numbers.size, eastern(MONDAY, 10))
    head = dbn_bytes.head(dict(enumerate(known, 1)), MONDAY)
    file = tmp_path / "day.dbn"
    file.write_bytes(head + dbn_bytes.quotes(numbers, times, bid, ask))
    words = ["feed", "run", "databento", "--file", str(file), "--dry-run", "--json"]
    assert main([*words, "--speed", "60x"]) == 0
    assert json.loads(capsys.readouterr().out)["published"] == len(known)
    assert main([*words, "--speed", "fast"]) == 2
    assert "--speed" in capsys.readouterr().err
