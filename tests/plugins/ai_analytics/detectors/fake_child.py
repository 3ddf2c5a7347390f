"""A detector's process for tests: `python fake_child.py BEHAVIOUR`. Needs nothing of the product but its messages."""

import os
import sys
import time

from plugins.ai_analytics.detectors.messages import encode_message, read_message

BOX = ["person", 0.9, 0.1, 0.2, 0.3, 0.4]
_leak = []


def say(**values) -> None:
    sys.stdout.buffer.write(encode_message(values))
    sys.stdout.buffer.flush()


def main(behaviour: str) -> None:
    read_message(sys.stdin.buffer.read)
    if behaviour == "garbage":
        say(failed="the model is garbage")
        return
    if behaviour == "exits":
        os._exit(3)
    say(opened=True)
    number = 0
    while (message := read_message(sys.stdin.buffer.read)) is not None:
        number += 1
        if behaviour == "hangs" and number > 1:
            time.sleep(600)
        if behaviour == "dies" and number > 1:
            os.kill(os.getpid(), 11)
        if behaviour == "leaks":
            _leak.append(bytearray(os.urandom(1) * (80 << 20)))
        if behaviour == "babbles":
            sys.stdout.buffer.write(b"what a nice picture" * 10)
            sys.stdout.buffer.flush()
            continue
        if behaviour == "nonsense":
            say(boxes=[BOX, ["person", 7, 0, 0, 1, 1]])
        elif behaviour == "raises":
            say(boxes=[], failed="division by zero")
        else:
            say(boxes=[BOX], cpu_ms=1.5, size=[message[0]["width"], len(message[1])])


main(sys.argv[1])
