"""Where the service's own words go: one line each, on standard error."""

import logging


def log_to_stderr() -> None:
    """Log warnings and the project's own news. Nothing may log a body, a key or an address."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("donpositif").setLevel(logging.INFO)
