"""A Redis broker that checks each message before Dramatiq sees it: in a queue of ours are calls of our actors with ids.

Dramatiq itself stops its consumer at a message that it cannot decode, and loses those that it fetched with it.
"""

from collections.abc import Callable
from typing import Any

from dramatiq.brokers.redis import RedisBroker

from gateway.redis_values import RefusedValue, is_id, is_integer, is_text, note_refusal, parse_object, require
from gateway.streams.messages import ACTORS, OUTPUTS_QUEUE, RUN_CONSUMER, RUN_OUTPUT

_MAX_MESSAGE_BYTES = 4096
#: The number of ids that each actor takes.
_ARGUMENTS = {RUN_CONSUMER: 2, RUN_OUTPUT: 2}


class CheckingBroker(RedisBroker):
    """Refuses, counts and removes messages that no part of this product sends."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # The broker's commands have no methods: it makes `do_fetch` and others here.
        command = super().__getattr__(name)
        return self._check_fetched(command) if name == "do_fetch" else command

    def _check_fetched(self, fetch: Callable[..., list[bytes]]) -> Callable[..., list[bytes]]:
        def fetch_checked(queue_name: str, *arguments: Any) -> list[bytes]:
            fetched = [data for data in fetch(queue_name, *arguments) if data is not None]
            refused = {data for data in fetched if not self._is_accepted(queue_name, data)}
            if refused:
                self._remove(queue_name, refused)
            return [data for data in fetched if data not in refused]

        return fetch_checked

    def _is_accepted(self, queue_name: str, data: bytes) -> bool:
        try:
            check_message(queue_name, data)
        except RefusedValue as error:
            note_refusal(self.client, "message", f"in the queue '{queue_name}': {error}")
            return False
        return True

    def _remove(self, queue_name: str, refused: set[bytes]) -> None:
        """Acknowledge refused messages by their keys, which a refused message itself may not tell."""
        for key, data in self.client.hscan_iter(f"{self.namespace}:{queue_name}.msgs", count=500):
            if data in refused:
                self.do_ack(queue_name, key)


def check_message(queue_name: str, data: bytes) -> None:
    """Raise RefusedValue unless `data` is a message of ours for this queue."""
    require(len(data) <= _MAX_MESSAGE_BYTES, "it is too long")
    values = parse_object(data)
    names = {"queue_name", "actor_name", "args", "kwargs", "options", "message_id", "message_timestamp"}
    require(values.keys() == names, "it has not the fields of a message")
    actor, arguments, options = values["actor_name"], values["args"], values["options"]
    is_own_process = actor == RUN_OUTPUT and queue_name.startswith(f"{OUTPUTS_QUEUE}.")
    is_right = isinstance(actor, str) and (is_own_process or ACTORS.get(actor) == queue_name)
    require(is_right, "its actor is unknown, or of another queue")
    require(values["queue_name"] == queue_name, "it is for another queue")
    require(isinstance(arguments, list) and len(arguments) == _ARGUMENTS.get(actor, 1), "its arguments are too many")
    # The name of an output is a plugin's own.
    require(is_id(arguments[-1]) and all(is_text(name, 100) for name in arguments), "an argument is not an id")
    require(values["kwargs"] == {}, "it has named arguments")
    require(isinstance(options, dict) and options.keys() == {"redis_message_id"}, "it has other options")
    require(is_id(options["redis_message_id"]) and is_id(values["message_id"]), "its own id is not an id")
    require(is_integer(values["message_timestamp"]), "its time is not a number")
