"""Pictures of projects: drawn anew from what was sent, in a few widths, named by their hash.

Only pixels are kept: where and with what a picture was taken, and whatever else its file held,
is lost on the way. The hash is that of the largest file, which anybody may fetch and hash.
"""

import threading
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from PIL import Image, ImageOps, UnidentifiedImageError
from psycopg import Connection
from psycopg.rows import tuple_row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.deps import context_of
from api.errors import page_not_found
from api.home import PAGE
from api.office.desk import FieldMalformed
from api.pages import FOREVER
from ledger.decider import Refused

router = APIRouter(include_in_schema=False)

WIDTHS: Final = (480, 960, 1600)
HEIGHT_MAX: Final = 2_400
FILE_BYTES_MAX: Final = 8_000_000
# A camera's largest picture; a small file may claim far more, which would fill the memory.
PIXELS_MAX: Final = 40_000_000
SIDE_MIN: Final = 200
FORMATS: Final = ("JPEG", "PNG", "WEBP")
QUALITY: Final = 82
FIELD: Final = "picture"
# What the library raises of a file that is no picture, is cut short, or claims too many pixels.
UNREADABLE: Final = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    Image.DecompressionBombError,
)
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
HEADERS: Final = {
    "Cache-Control": FOREVER,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}

KEEP = """
INSERT INTO picture (sha256, width, height, content)
VALUES (%(sha256)s, %(width)s, %(height)s, %(content)s) ON CONFLICT DO NOTHING
"""
# The width that is asked for, else the next larger one, else the largest there is.
READ = """
SELECT content FROM picture WHERE sha256 = %(sha256)s
ORDER BY width < %(width)s, abs(width - %(width)s) LIMIT 1
"""
KNOWN = "SELECT max(width), max(height) FROM picture WHERE sha256 = %(sha256)s"


# What a picture takes while it is read is a multiple of its file: one at a time in each process.
ONE_AT_A_TIME = threading.Lock()


class PictureRefused(FieldMalformed):
    """A picture is a JPEG, PNG or WebP file of at most 8 MB and 40 million pixels."""


class PictureTooSmall(FieldMalformed):
    """A picture is at least 200 pixels wide and high."""


class PictureUnknown(Refused):
    """No picture is kept under this hash."""


def opened(content: bytes) -> Image.Image:
    """Give the pixels of a file, upright. Raises PictureRefused, PictureTooSmall.

    What it is, its content says: neither its name nor the type that the browser sent with it.
    """
    if len(content) > FILE_BYTES_MAX:
        raise PictureRefused(field=FIELD)
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                raise PictureRefused(field=FIELD)
            if min(image.size) < SIDE_MIN:
                raise PictureTooSmall(field=FIELD)
            # A JPEG is read at a fraction of its size where that is enough.
            image.draft("RGB", (WIDTHS[-1], HEIGHT_MAX))
            upright = ImageOps.exif_transpose(image)
            return on_white(upright)
    except UNREADABLE as fault:
        raise PictureRefused(field=FIELD) from fault


def on_white(image: Image.Image) -> Image.Image:
    """Give the pixels alone, without transparency.

    They are pasted into a new picture, because a converted one carries comments, profiles and
    places along, and the library would write some of them into the file again.
    """
    ground = Image.new("RGB", image.size, "white")
    if "A" not in image.getbands() and "transparency" not in image.info:
        ground.paste(image.convert("RGB"))
    else:
        layer = image.convert("RGBA")
        ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def drawn(image: Image.Image) -> Iterator[tuple[int, int, bytes]]:
    """Draw a picture in each width it has, the largest last: width, height, JPEG file."""
    widest = min(image.width, WIDTHS[-1])
    for width in [*(one for one in WIDTHS if one < widest), widest]:
        made = image.copy()
        made.thumbnail((width, HEIGHT_MAX), Image.Resampling.LANCZOS)
        file = BytesIO()
        made.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
        yield made.width, made.height, file.getvalue()


def keep(connection: Connection[Any], content: bytes) -> str:
    """Keep a picture and give its hash; the same again changes nothing.

    Raises PictureRefused, PictureTooSmall.
    """
    with ONE_AT_A_TIME:
        files = list(drawn(opened(content)))
    digest = sha256(files[-1][2]).hexdigest()
    with connection.transaction():
        for width, height, file in files:
            row = {"sha256": digest, "width": width, "height": height, "content": file}
            connection.execute(KEEP, row)
    return digest


def size_of(connection: Connection[Any], digest: str) -> tuple[int, int]:
    """Give the width and height of the largest file. Raises PictureUnknown."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(KNOWN, {"sha256": digest}).fetchone()
    if row is None or row[0] is None:
        raise PictureUnknown(sha256=digest)
    return int(row[0]), int(row[1])


def read(connection: Connection[Any], digest: str, width: int) -> bytes:
    """Give the file whose width comes nearest. Raises PictureUnknown."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        row = cursor.execute(READ, {"sha256": digest, "width": width}).fetchone()
    if row is None:
        raise PictureUnknown(sha256=digest)
    return bytes(row[0])


@router.api_route("/pictures/{digest}/{width}.jpg", **PAGE)
@public()
async def show(request: Request, digest: Digest, width: int) -> Response:
    """Give a picture; it never changes under its name."""
    pool = context_of(request).pool
    nearest = next((one for one in WIDTHS if one >= width), WIDTHS[-1])

    def found() -> bytes:
        with pool.connection() as connection:
            return read(connection, digest, nearest)

    try:
        content = await run_in_threadpool(found)
    except PictureUnknown:
        return page_not_found(request)
    return Response(content, headers=HEADERS, media_type="image/jpeg")
