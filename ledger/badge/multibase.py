"""Bytes as text, and a public key as text: W3C's Multibase and Multikey, as Data Integrity needs.

Controlled Identifiers 1.0, sections 2.2 and 2.4: `z` begins base 58 of Bitcoin's alphabet, `u`
begins base 64 for addresses, and the bytes ED 01 begin an Ed25519 public key.
"""

from base64 import b64decode, urlsafe_b64encode
from binascii import Error

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ED25519 = b"\xed\x01"


class NotMultibase(Exception):
    """The text is in none of the two bases, or has a character foreign to its base."""


def base58(content: bytes) -> str:
    number = int.from_bytes(content, "big")
    text = ""
    while number:
        number, letter = divmod(number, len(ALPHABET))
        text = ALPHABET[letter] + text
    zeros = len(content) - len(content.lstrip(b"\0"))
    return "z" + ALPHABET[0] * zeros + text


def base64(content: bytes) -> str:
    return "u" + urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Give the bytes of a text in base 58 or base 64. Raises NotMultibase."""
    body = text[1:]
    try:
        match text[:1]:
            case "z":
                number = 0
                for letter in body:
                    number = number * len(ALPHABET) + ALPHABET.index(letter)
                zeros = len(body) - len(body.lstrip(ALPHABET[0]))
                return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
            case "u":
                return b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            case _:
                raise NotMultibase(text[:1])
    except (ValueError, Error) as failure:
        raise NotMultibase(text[:1]) from failure


def multikey(public_key: bytes) -> str:
    """Write an Ed25519 public key of 32 bytes."""
    return base58(ED25519 + public_key)
