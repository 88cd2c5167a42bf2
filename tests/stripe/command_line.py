"""Stripe's own command line, in a home of its own, asking a double on the loopback."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stripe.double import Double

SECONDS_MAX = 60
# A proxy where nobody listens: it tells nobody that it runs, and looks for no newer version.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class CommandLine:
    program: Path
    double: Double
    home: Path

    def run(self, *words: str) -> str:
        account = self.double.account
        told = ("--api-base", self.double.url, "--api-key", account.secret_key)
        done = subprocess.run(
            [self.program, *words, *told],
            env={
                "HOME": str(self.home),
                "HTTPS_PROXY": NOWHERE,
                "NO_PROXY": "127.0.0.1",
                "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def trigger(self, kind: str, *words: str) -> str:
        """Let it make happen what leads to an event, as developers do in test mode."""
        version = self.double.account.described.version
        return self.run("trigger", kind, "--api-version", version, *words)

    def ask(self, *words: str) -> Any:
        """Let it ask one thing, and give the answer that it understood."""
        version = self.double.account.described.version
        return json.loads(self.run(*words, "--stripe-version", version))
