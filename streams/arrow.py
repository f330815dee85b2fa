"""Arrow without pandas, which takes half a second and 50 MB to import.

pyarrow imports it at the first value it is given, only to see whether that is one of pandas' own.
Told once that there is none, it asks again only where pandas is really wanted (`to_pandas`).
"""

import sys

import pyarrow as pa


class _NoPandas:
    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def spare_pandas() -> None:
    """Let pyarrow look for pandas now, and find nothing, unless somebody else has imported it."""
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(_NoPandas)
