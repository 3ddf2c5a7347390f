"""Writes the state of a stream to the database, and bridges times when the database is away."""

import logging
from collections.abc import Callable
from typing import TypeVar

from gateway.errors import LeaseLost, Unavailable
from gateway.media import SourceInfo
from gateway.states import DesiredState, Reason, StreamState
from gateway.streams.model import InvalidTransition, claim_next_run, claim_run, set_source_info, transition
from gateway.streams.queries import DesiredStream, DeviceSettings, read_desired, read_source_info

log = logging.getLogger(__name__)

T = TypeVar("T")


class StreamStateWriter:
    """The owner's access to the database. A database that is away never stops the stream:

    the last unwritten state is written when the database is back, and run numbers are counted on from the last.
    """

    def __init__(self, device_id: str, worker: str, on_state: Callable[[str, str, str | None], None]) -> None:
        self._device_id = device_id
        self._worker = worker
        self._on_state = on_state
        self._unwritten: tuple[StreamState, Reason | None] | None = None
        self._reported: tuple[str, str | None] | None = None
        self._claimed = 0
        self._device: DeviceSettings | None = None
        self.run = 0

    def claim(self) -> bool:
        """Take the number of the next run; False if the device is deleted or another owner is ahead.

        Raises Unavailable only before the first run: without a first claim there is no fence.
        """
        try:
            if self.run == self._claimed:
                run = claim_next_run(self._device_id, self._worker)
                if run is None:
                    return False
                self.run = self._claimed = run
                return True
            self.run += 1
            if not claim_run(self._device_id, self.run, self._worker):
                return False
            self._claimed = self.run
        except Unavailable:
            if not self._claimed:
                raise
            if self.run == self._claimed:
                self.run += 1
            log.warning("device %s: the database is away, run %d is claimed later", self._device_id, self.run)
        return True

    @property
    def is_deleted(self) -> bool:
        """Whether the device is deleted; False while the database is away."""
        try:
            return read_desired(self._device_id) is None
        except Unavailable:
            return False

    def observe(self, state: StreamState, reason: Reason | None = None) -> None:
        """Write the state; raises LeaseLost if the row belongs to another run."""
        self._unwritten = (state, reason)
        self._write()

    def read_desired(self) -> DesiredStream | None:
        """The desired state; None while the database is away. Raises LeaseLost for a run of another owner."""
        try:
            if self.run != self._claimed:
                self._claim_late()
            if self._unwritten is not None:
                self._write()
            desired = read_desired(self._device_id)
        except Unavailable as error:
            log.debug("device %s: the desired state cannot be read now: %s", self._device_id, error)
            return None
        if desired is None:
            return DesiredStream(DesiredState.STOPPED, "device_deleted", 0, 0)
        if desired.run > self.run:
            raise LeaseLost(f"device '{self._device_id}' is at run {desired.run} of another worker")
        return desired

    def read_device(self, read: Callable[[], DeviceSettings | None]) -> DeviceSettings | None:
        """The device's settings; while the database is away, the last ones read."""
        try:
            self._device = read()
        except Unavailable:
            if self._device is None:
                raise
        return self._device

    def read_source(self, source_version: int) -> SourceInfo | None:
        """The last known description of the camera's stream under these settings, or None."""
        try:
            return read_source_info(self._device_id, source_version)
        except Unavailable:
            return None

    def keep_source(self, source: SourceInfo, source_version: int) -> None:
        """Store the description of the camera's stream for the next owner."""
        try:
            set_source_info(self._device_id, source, run=self.run, source_version=source_version)
        except Unavailable as error:
            log.debug("device %s: the source's description is not stored: %s", self._device_id, error)

    def _claim_late(self) -> None:
        """Claim the run that began while the database was away; raises LeaseLost if another owner has its number."""
        if claim_run(self._device_id, self.run, self._worker):
            self._claimed = self.run
        elif read_desired(self._device_id) is not None:
            raise LeaseLost(f"run {self.run} of device '{self._device_id}' belongs to another worker")

    def _write(self) -> None:
        state, reason = self._unwritten
        try:
            try:
                is_written = self._transition(state, reason)
            except InvalidTransition:
                # While this process was suspended and its lease lost, the clock process recorded the stream as stopped.
                is_written = self._transition(StreamState.STARTING, None) and self._transition(state, reason)
        except Unavailable:
            return
        self._unwritten = None
        if not is_written:
            if read_desired(self._device_id) is None:
                # The row of a deleted device is gone; plugins still have to clear up after its stream.
                if state == StreamState.STOPPED:
                    self._report(state, reason)
                return
            raise LeaseLost(f"the state of device '{self._device_id}' is written by another worker")
        self._report(state, reason)

    def _report(self, state: StreamState, reason: Reason | None) -> None:
        reported = (state.value, reason.code if reason else None)
        if reported != self._reported:
            self._reported = reported
            self._on_state(self._device_id, *reported)

    def _transition(self, state: StreamState, reason: Reason | None) -> bool:
        return transition(self._device_id, state, reason=reason, run=self.run, worker=self._worker)
