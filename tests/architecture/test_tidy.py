import ast
import io
import re
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.architecture.house import ROOMS, ROOT, is_pure, module_of, python_files, repository_files

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
SPEAKS = ("api/cli*", "api/commands.py", "api/serve.py")
EMPTY_NAMES = frozenset(
    {
        *("common", "helper", "helpers", "manager", "managers"),
        *("service", "services", "util", "utils"),
    }
)
NEVER = frozenset({"eval", "exec", "os.getenv", "os.environ.get", "pickle.load", "pickle.loads"})
# Time and chance enter a slice as fields of the command.
NOT_WHEN_PURE = frozenset(
    {
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        *("time.time", "time.time_ns", "uuid1", "uuid4", "uuid.uuid1", "uuid.uuid4"),
        *("secrets.token_bytes", "secrets.token_hex", "secrets.token_urlsafe", "os.urandom"),
    }
)
# Brackets keep these patterns from finding themselves.
FOREIGN = re.compile(
    r"(?:^|[^\w.~])/(?:wor[k]|roo[t]|home/[a-z]+)/"
    r"|--(?:extra-)?inde[x]-url"
    r"|://[^\s\"']*(?:pypi|pythonhosted|npmjs|jsdelivr|unpkg)[.](?:or[g]|co[m]|ne[t])"
)
# The shell finds it for `~`; the operator never sets it for us.
NOT_A_SETTING = {"HOME"}


def faults(path: Path, source: str) -> Iterator[str]:
    """What is untidy in one file of the house, given its path from the root."""
    lines = source.count("\n") + 1
    if lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines"
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines"
        elif isinstance(node, ast.Call) and is_banned(path, ast.unparse(node.func)):
            yield f"{path}:{node.lineno}: calls {ast.unparse(node.func)}"
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield f"{path}:{node.lineno}: reads the environment, which settings.py does"
    if path.parts[0] == "ledger":
        yield from floats(path, source)


def is_banned(path: Path, call: str) -> bool:
    speaks = any(fnmatch(path.as_posix(), pattern) for pattern in SPEAKS)
    return (
        call in NEVER
        or (call == "print" and not speaks)
        or (is_pure(module_of(path)) and call.removeprefix("datetime.") in NOT_WHEN_PURE)
        or (is_pure(module_of(path)) and call in NOT_WHEN_PURE)
    )


def floats(path: Path, source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_name = token.type == tokenize.NAME and token.string == "float"
        if is_name or (
            token.type == tokenize.NUMBER and isinstance(ast.literal_eval(token.string), float)
        ):
            yield f"{path}:{token.start[0]}: {token.string} is a float"


def foreign(path: Path, text: str) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if FOREIGN.search(line)
    ]


def text_of(path: Path) -> str:
    """What a text file holds; nothing for an image or a font."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_the_house_is_tidy() -> None:
    files = python_files(*ROOMS)
    assert files
    assert [fault for path in files for fault in faults(path, text_of(path))] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert [line for path in repository_files() for line in foreign(path, text_of(path))] == []


def test_no_name_says_nothing() -> None:
    named = [path for path in repository_files() if EMPTY_NAMES & {*path.parts, path.stem}]
    assert named == []


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = ast.parse(text_of(Path("ledger/settings.py")))
    names = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch("[A-Z][A-Z_]+", node.value)
    }
    assert "DATABASE_URL" in names
    missing = {name for name in names if not re.search(rf"\b{name}\b", readme)}
    assert missing - NOT_A_SETTING == set()


LONG_FUNCTION = "def long():\n" + "    1\n" * FUNCTION_LINES_MAX


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ledger/donations.py", LONG_FUNCTION),
        ("api/app.py", "\n" * FILE_LINES_MAX),
        ("api/app.py", "print('a gift')"),
        ("ledger/store.py", "print('a gift')"),
        ("api/app.py", "eval('1')"),
        ("projections/follow.py", "import pickle\npickle.loads(b'')"),
        ("projections/follow.py", "import os\nos.environ['PORT']"),
        ("projections/follow.py", "import os\nos.environ.get('PORT')"),
        ("ledger/donations.py", "from datetime import datetime\ndatetime.now()"),
        ("ledger/donations.py", "import datetime\ndatetime.datetime.now()"),
        ("ledger/donations.py", "import time\ntime.time()"),
        ("ledger/rules/shares.py", "from uuid import uuid4\nuuid4()"),
        ("ledger/tickets.py", "import secrets\nsecrets.token_hex(8)"),
        ("ledger/store.py", "share = 0.5"),
        ("ledger/store.py", "share = 1e3"),
        ("ledger/store.py", "def half(cents: float) -> int: ..."),
    ],
)
def test_what_is_untidy_is_found(path: str, source: str) -> None:
    assert len(list(faults(Path(path), source))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ledger/donations.py", LONG_FUNCTION.removesuffix("    1\n")),
        ("api/app.py", "\n" * (FILE_LINES_MAX - 1)),
        ("api/cli.py", "print('a gift')"),
        ("api/cli/partner.py", "print('a gift')"),
        ("api/serve.py", "print('listening')"),
        ("api/app.py", "from datetime import UTC, datetime\ndatetime.now(UTC)"),
        ("api/app.py", "pause = 0.5"),
        ("ledger/keyring.py", "import secrets\nsecrets.token_bytes(32)"),
        ("ledger/money.py", "cents = 0x1e3 + 1_000  # 0.5 is a float"),
    ],
)
def test_what_is_tidy_is_left_alone(path: str, source: str) -> None:
    assert list(faults(Path(path), source)) == []


@pytest.mark.parametrize(
    "line",
    [
        "see /wor|k/main/README.md",
        "path = '/roo|t/.cache'",
        "cd /home|/jeanne/dons",
        "pip install --inde|x-url x",
        "https://files.pythonhosted.or|g/x",
        "https://registry.npmjs.or|g/x",
    ],
)
def test_a_machine_or_a_registry_is_found(line: str) -> None:
    text = line.replace("|", "")  # The bar keeps this file from being found.
    assert len(foreign(Path("README.md"), f"A line.\n{text}\n")) == 1
