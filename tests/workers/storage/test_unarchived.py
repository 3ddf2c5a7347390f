"""Footage that a full disk deletes before it has a copy: an event of the device, not too often, and the report."""

import threading

import pytest

from gateway import database
from gateway.clock import FakeClock
from gateway.events.model import FOOTAGE, Event
from gateway.redis_client import connect_redis
from gateway.storage.pass_report import PassReport
from gateway.storage.report import StorageReports
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_device
from workers.storage.report_writer import ReportWriter
from workers.storage.retention_loop import RetentionLoop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_it_is_told_once_an_hour_and_in_the_report(config, bound_database, scope, box):
    device = make_device(scope, box)
    client, clock = connect_redis(config.redis_url), FakeClock(1_750_000_000)
    reports = StorageReports(client)
    loop = RetentionLoop(
        config,
        clock,
        None,
        ReportWriter(reports, clock, "w"),
        stop=threading.Event(),
        open_store=None,
        is_recorded=lambda device_id: False,
        may_expire=lambda: True,
    )
    report = PassReport(unarchived={device.id: device.tenant_id}, waiting={device.id: device.tenant_id})
    counts = []
    for seconds in (0, 60, 3600):
        clock.advance(seconds)
        loop._report(report)
        with database.session():
            events = list(EVERY_TENANT.select(Event).where(Event.device_id == device.id, Event.kind == FOOTAGE))
        counts.append(len(events))
    assert counts == [1, 1, 2]
    assert "before it had a copy" in events[0].text
    written = reports.read()
    client.close()
    assert (written.waiting, written.unarchived_at) == (1, clock.wall())
