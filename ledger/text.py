"""The form of text that people type in one line, and that everybody may read."""

from typing import Final

# One line, without spaces around and without control characters, which no page shows and
# PostgreSQL keeps only in part, nor those that turn the direction of what follows them.
TURNS: Final = r"\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069"
ONE_LINE: Final = (
    rf"^[^\s\p{{Cc}}{TURNS}]([^\p{{Cc}}\p{{Zl}}\p{{Zp}}{TURNS}]*[^\s\p{{Cc}}{TURNS}])?$"
)
