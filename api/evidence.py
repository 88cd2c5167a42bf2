"""The papers behind applications and appeals: kept as files, named by what they contain.

Events hold a paper's title and SHA-256 only, so a file may be deleted without touching the ledger.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from starlette.responses import Response

from api.pages import PRIVATE
from ledger.decider import Refused
from ledger.partners.words import Evidence

FOLDER: Final = "files"
PAPER_BYTES_MAX: Final = 4_194_304
# PDF, JPEG and PNG: what every reader opens. A file's name and declared type prove nothing.
ENDINGS: Final = {b"%PDF-": ".pdf", b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}
# The content is a stranger's: it is saved, never shown, and nothing in it may run.
GUARDED: Final = PRIVATE | {"Content-Security-Policy": "default-src 'none'; sandbox"}


class PaperTooLarge(Refused):
    """A paper is longer than is taken."""


class PaperKindUnknown(Refused):
    """A paper is a PDF, a JPEG or a PNG file."""


class PaperNotKept(Refused):
    """No file is kept under this hash, or another one than was filed."""


def digest_of(content: bytes) -> str:
    """Give the SHA-256 of a paper that may be kept. Raises PaperTooLarge, PaperKindUnknown."""
    if len(content) > PAPER_BYTES_MAX:
        raise PaperTooLarge(bytes_max=PAPER_BYTES_MAX)
    if not content.startswith(tuple(ENDINGS)):
        raise PaperKindUnknown
    return sha256(content).hexdigest()


def keep(home: Path, content: bytes) -> str:
    """Keep a paper, on the disk when this returns; the same again changes nothing.

    Raises PaperTooLarge, PaperKindUnknown.
    """
    digest = digest_of(content)
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = folder / f".{uuid4()}"
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.rename(folder / digest)
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return digest


def content_of(home: Path, filed: Evidence) -> bytes:
    """Read a paper, checked against its hash. Raises PaperNotKept."""
    try:
        content = (home / FOLDER / filed.sha256).read_bytes()
    except FileNotFoundError:
        raise PaperNotKept(sha256=filed.sha256) from None
    if sha256(content).hexdigest() != filed.sha256:
        raise PaperNotKept(sha256=filed.sha256)
    return content


def download(filed: Evidence, content: bytes) -> Response:
    """Answer with a paper, to be saved under its title."""
    ending = next((ending for start, ending in ENDINGS.items() if content.startswith(start)), "")
    title = filed.title.removesuffix(ending) + ending
    name = f"attachment; filename*=UTF-8''{quote(title, '')}"
    headers = GUARDED | {"Content-Disposition": name}
    return Response(content, headers=headers, media_type="application/octet-stream")
