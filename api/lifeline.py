"""A child process that ends with its parent, even when the parent is killed outright."""

import os
import signal
import threading


def hold(descriptor: int) -> None:
    """Ask this process to stop once the other end of a pipe is closed: its holder is gone."""

    def wait() -> None:
        os.read(descriptor, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
