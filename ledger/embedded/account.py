"""Who runs PostgreSQL: whoever we are, except root, whom it refuses."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ledger.embedded.failures import NoServiceAccount

SERVICE_ACCOUNT = "donpositif"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Identity(TypedDict, total=False):
    """The arguments of subprocess that change who runs a program."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def identity(self) -> Identity:
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(
        self, command: Sequence[str | Path], pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end as this account, whatever the exit status."""
        return subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            cwd="/",
            env=ENVIRONMENT,
            pass_fds=pass_fds,
            check=False,
            **self.identity,
        )

    def own(self, directory: Path) -> None:
        """Make the directory private to this account."""
        directory.mkdir(mode=0o700, exist_ok=True)
        directory.chmod(0o700)
        if not self.is_ours:
            os.chown(directory, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        if self.is_ours:
            return True
        return self.run(["sh", "-c", 'cd "$1"', "sh", directory]).returncode == 0

    @contextmanager
    def way_into(self, directory: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """Yield how this account can name the directory, and the descriptors it needs for that.

        A folder of root's (mktemp -d, /root) hides what lies below from the service account. Its
        permissions are not ours to change, so root opens the directory and hands over the door.
        """
        if self.can_enter(directory):
            yield directory, ()
            return
        door = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield Path(f"/proc/self/fd/{door}"), (door,)
        finally:
            os.close(door)


def postgres_account() -> Account:
    if os.geteuid() == 0:
        return _service_account()
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError as failure:
        # libpq and initdb look the name up as well; containers started with a bare uid lack it.
        raise NoServiceAccount(f"of uid {uid}", "it has no entry in /etc/passwd") from failure
    return Account(name, uid, os.getegid())


def _service_account() -> Account:
    try:
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        _create_service_account()
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_service_account() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SERVICE_ACCOUNT]
    already_exists = 9  # Another start made it meanwhile.
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as failure:
        raise NoServiceAccount(SERVICE_ACCOUNT, "useradd is not installed") from failure
    if made.returncode not in {0, already_exists}:
        raise NoServiceAccount(SERVICE_ACCOUNT, made.stderr.strip())
