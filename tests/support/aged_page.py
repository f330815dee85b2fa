"""A page of metrics like the exporter's, with indices whose readings are of some age."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from streams.catalogue.measures import RULE_TENOR

INDEX_VOL = 0.2


@contextmanager
def aged_page(ages: Mapping[str, tuple[float, float | None]]) -> Iterator[int]:
    """Its port. By index: seconds since the reading was published, and the refresh if it is told.

    The session is open and the mode is live.
    """
    registry = CollectorRegistry()
    Gauge("dispersion_market_session_open", "x", registry=registry).set(1)
    config = Gauge("dispersion_config_info", "x", ("index", "mode"), registry=registry)
    vol = Gauge("dispersion_index_vol_ratio", "x", ("index", "tenor"), registry=registry)
    published, refresh = (
        Gauge(f"dispersion_{name}", "x", ("index",), registry=registry)
        for name in ("last_publish_timestamp_seconds", "reading_refresh_seconds")
    )
    for index, (age, seconds) in ages.items():
        config.labels(index, "live").set(1)
        vol.labels(index, RULE_TENOR).set(INDEX_VOL)
        published.labels(index).set(time.time() - age)
        if seconds is not None:
            refresh.labels(index).set(seconds)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
