from agents.alerts.tombstones import KEEP_SECONDS, Tombstones


def test_a_resolved_alert_is_due_a_day_later_and_once() -> None:
    tombstones = Tombstones()
    tombstones.published(b"a", "resolved", 1000.0)
    assert tombstones.due(1000.0 + KEEP_SECONDS - 1) == []
    assert tombstones.due(1000.0 + KEEP_SECONDS) == [b"a"]
    assert tombstones.due(1000.0 + 2 * KEEP_SECONDS) == []


def test_an_alert_that_fires_again_stays() -> None:
    tombstones = Tombstones()
    tombstones.published(b"a", "resolved", 0.0)
    tombstones.published(b"a", "firing", 10.0)
    assert tombstones.due(10.0 * KEEP_SECONDS) == []


def test_a_tombstone_read_back_needs_no_second_one() -> None:
    tombstones = Tombstones()
    tombstones.published(b"a", "resolved", 0.0)
    tombstones.published(b"a", None, 10.0)
    assert tombstones.due(10.0 * KEEP_SECONDS) == []
