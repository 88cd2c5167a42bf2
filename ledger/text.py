"""The form of text that people type in one line, and that everybody may read."""

from typing import Final

# One line, without spaces around and without control characters, which no page shows and
# PostgreSQL keeps only in part.
ONE_LINE: Final = r"^[^\s\p{Cc}]([^\p{Cc}\p{Zl}\p{Zp}]*[^\s\p{Cc}])?$"
