"""The broker of worker processes, with its middleware, over the settings of the environment."""

import dramatiq
from dramatiq.middleware import Retries, ShutdownNotifications, TimeLimit

from gateway.config import Config
from gateway.redis_client import connect_redis
from workers.message_check import CheckingBroker
from workers.middleware import WorkerServices

config = Config.from_environment()

services = WorkerServices(config)

broker = CheckingBroker(
    client=connect_redis(config.redis_url),
    # Ours comes first: it must know that the process is closing before any actor is notified.
    middleware=[services, TimeLimit(), ShutdownNotifications(), Retries(max_retries=3)],
)
dramatiq.set_broker(broker)
