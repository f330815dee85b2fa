import json
from datetime import datetime, timedelta, timezone

import pytest

from agents.alerts.cloud_event import CONTENT_TYPE, attributes, event_message
from agents.alerts.heartbeat import heartbeat

EVENT = json.dumps(
    {
        "specversion": "1.0",
        "id": "4be1f0c27d90a86358c1",
        "source": "/dispersion/monitor/spx",
        "type": "io.dispersion.alert.firing.v1",
        "subject": "SPX/30d/vix_spike_unwind",
        "time": "2025-10-10T15:42:07.250Z",
        "partitionkey": "9f2c41d07b6e55aa",
        "sequence": "00000003",
        "data": {"status": "firing"},
    }
).encode()


def test_key_partition_and_headers_come_from_the_event() -> None:
    message = event_message("alerts", EVENT, 3, 17)
    headers = dict(message.headers)
    assert (message.key, message.value, message.partition) == (b"9f2c41d07b6e55aa", EVENT, 3)
    assert headers["content-type"] == CONTENT_TYPE
    assert (headers["ce_id"], headers["ce_sequence"], headers["dispersion-seq"]) == (
        b"4be1f0c27d90a86358c1",
        b"00000003",
        b"17",
    )
    assert "ce_data" not in headers


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        attributes(b"[1]")


def test_the_cloudevents_library_reads_what_we_write() -> None:
    from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
    from cloudevents.core.formats.json import JSONFormat

    for value in (EVENT, heartbeat(2, "live", 1_752_500_015.25)):
        message = event_message("alerts", value, 0)
        kafka = KafkaMessage(
            headers=dict(message.headers), key=message.key, value=message.value or b""
        )
        event = from_structured_event(kafka, JSONFormat())
        assert event.get_id() == attributes(value)["id"]


def test_a_heartbeat_tells_until_when_readings_were_judged() -> None:
    friday, monday = (
        datetime(2026, 7, day, 10, tzinfo=timezone(timedelta(hours=-4))) for day in (10, 13)
    )
    told = json.loads(heartbeat(2, "live", 1_752_500_010.0, {"SPX": monday, "NDX": friday}))["data"]
    assert told["event_time"] == "2026-07-13T14:00:00Z"
    assert told["indices"] == {"NDX": "2026-07-10T14:00:00Z", "SPX": "2026-07-13T14:00:00Z"}
    silent = json.loads(heartbeat(2, "live", 1_752_500_010.0))["data"]
    assert (silent["event_time"], silent["indices"]) == (None, {})


def test_a_heartbeat_is_the_same_within_its_half_minute() -> None:
    first, second = (attributes(heartbeat(2, "live", 1_752_500_010.0 + late)) for late in (0, 19.9))
    assert first["id"] == second["id"] == "heartbeat-2-1752500010"
    assert attributes(heartbeat(2, "live", 1_752_500_040.0))["id"] != first["id"]
    assert first["time"] == "2025-07-14T13:33:30.000Z"
