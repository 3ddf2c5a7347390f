"""Counting motion, and the route that shows it."""

HOUR_MS = 3_600_000
NOON_MS = 1_750_075_200_000  # 2025-06-16T12:00:00Z


def read(trial):
    reply = trial.client.get("/api/v1/motion_count?start=2025-06-16T00:00:00Z&end=2025-06-17T00:00:00Z")
    assert reply.status_code == 200, reply.get_json()
    return [(one["hour"], one["count"]) for one in reply.get_json()]


def test_motion_is_counted_by_hour(plugin_trial):
    for start_ms in (NOON_MS, NOON_MS + 1, NOON_MS + HOUR_MS):
        plugin_trial.facts.event("motion", start_ms=start_ms)
    plugin_trial.facts.event("barking", start_ms=NOON_MS)
    assert read(plugin_trial) == [("2025-06-16T12:00:00.000Z", 2), ("2025-06-16T13:00:00.000Z", 1)]


def test_an_event_that_changes_is_counted_once(plugin_trial):
    event = plugin_trial.facts.event("motion", start_ms=NOON_MS, change="began", end_ms=None)
    plugin_trial.facts.event("motion", id=event.id, start_ms=NOON_MS, change="ended", end_ms=NOON_MS + 5000)
    assert read(plugin_trial) == [("2025-06-16T12:00:00.000Z", 1)]


def test_old_counts_are_forgotten(plugin_trial):
    plugin_trial.facts.event("motion", start_ms=NOON_MS)
    plugin_trial.run_schedule("forget")
    assert read(plugin_trial) == []


def test_a_range_without_an_end_is_refused(plugin_trial):
    assert plugin_trial.client.get("/api/v1/motion_count?start=2025-06-16T00:00:00Z").status_code == 422
