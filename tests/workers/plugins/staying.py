"""A process that goes on until a signal ends it."""

import time

if __name__ == "__main__":
    time.sleep(300)
