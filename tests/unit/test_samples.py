"""The sample files are the ones that their metadata describe."""

import hashlib
import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
METADATA = json.loads((SAMPLES / "metadata.json").read_text())["files"]


@pytest.mark.parametrize("name", sorted(METADATA))
def test_hash_size_and_provenance(name: str) -> None:
    entry, content = METADATA[name], (SAMPLES / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) == entry["bytes"]
    assert entry["licence"] in {"MIT", "PDDL-1.0"}
    assert "at commit " in entry["source"]
    assert entry["changed"]
    if entry["licence"] == "MIT":  # which asks for its notice in every copy
        assert "Copyright (c)" in (SAMPLES / entry["licence_file"]).read_text()


def test_every_data_file_is_described() -> None:
    assert {
        file.name for file in SAMPLES.iterdir() if file.suffix in {".parquet", ".csv", ".gz"}
    } == set(METADATA)
