"""Which devices are being recorded now, by the leases of their recorders."""

import redis

from gateway.leases import Leases

#: The lease of whoever records a device.
RECORDER_LEASE = "output:hls_recorder"


class LivingRecorders:
    """Which devices are being recorded now. Every question raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._leases = Leases(client)

    def __call__(self, device_id: str) -> bool:
        return self._leases.holder(RECORDER_LEASE, device_id) is not None
