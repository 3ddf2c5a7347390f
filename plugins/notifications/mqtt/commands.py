"""Commands from a broker's clients: switches for recording and detection. Whoever may publish there may send any."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.footage.recordings import set_override
from gateway.plugin_api import TenantScope, VasError
from plugins.notifications.mqtt.topics import DETECTION, RECORDING, Topics, parse_switch

log = logging.getLogger(__name__)

#: Commands of a device within a minute; more are ignored.
_PER_MINUTE = 30
BY_NAME = "mqtt"

#: Switches detection of a device on or off; None where nothing detects.
SwitchDetection = Callable[[TenantScope, str, bool], None]


@dataclass
class Commands:
    """Handles the commands of one broker."""

    topics: Topics
    scope: TenantScope
    switch_detection: SwitchDetection | None = None
    monotonic: Callable[[], float] = time.monotonic
    _times: dict[str, list[float]] = field(default_factory=dict)

    def handle(self, topic: str, payload: object, *, is_retained: bool) -> bool:
        """Obey a command; returns whether it did something. Retained ones are old, and ignored."""
        command = self.topics.parse_command(topic)
        if command is None or is_retained:
            return False
        device_id, switch = command
        is_on = parse_switch(payload)
        if is_on is None:
            log.warning("a command for %s of device %s is neither ON nor OFF", switch, device_id)
            return False
        if not self._may(device_id):
            log.warning("device %s gets more than %d commands a minute", device_id, _PER_MINUTE)
            return False
        try:
            if switch == RECORDING:
                word = "on" if is_on else "off"
                set_override(self.scope, device_id, word, by=BY_NAME, now_ms=time.time_ns() // 1_000_000)
            elif switch == DETECTION and self.switch_detection is not None:
                self.switch_detection(self.scope, device_id, is_on)
            else:
                return False
        except VasError as error:
            log.warning("a command for device %s failed: %s", device_id, error)
            return False
        log.info("%s of device %s is switched %s by mqtt", switch, device_id, "on" if is_on else "off")
        return True

    def _may(self, device_id: str) -> bool:
        now = self.monotonic()
        times = [at for at in self._times.get(device_id, ()) if now - at < 60]
        if len(times) >= _PER_MINUTE:
            return False
        if len(self._times) > 1000:
            self._times.clear()
        self._times[device_id] = [*times, now]
        return True
