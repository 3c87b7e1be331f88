"""Passwords as scrypt hashes: what is kept of one can be compared with, and does not tell it."""

from __future__ import annotations

import hashlib
import hmac

# About 50 ms and 16 MiB a guess on a usual machine.
COST, BLOCK_SIZE, PARALLEL = 1 << 14, 8, 1
HASH_BYTES = 32
# What is longer is no password of ours; hashing it would be work that a stranger can order.
LONGEST_PASSWORD_BYTES = 1024


def hash_password(password: str, salt: bytes) -> str:
    """Return `salt$hash` in hexadecimal digits. The same password and salt give the same text."""
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def is_password(password: str, known: str) -> bool:
    """Tell whether `known`, a result of `hash_password`, is of this password, in a time that does not tell how much."""
    salt, _, expected = known.partition("$")
    found = _scrypt(password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(expected)) and _fits(password)


def _fits(password: str) -> bool:
    return len(password.encode(errors="surrogatepass")) <= LONGEST_PASSWORD_BYTES


def _scrypt(password: str, salt: bytes) -> bytes:
    secret = password.encode(errors="surrogatepass")[:LONGEST_PASSWORD_BYTES]
    return hashlib.scrypt(secret, salt=salt, n=COST, r=BLOCK_SIZE, p=PARALLEL, dklen=HASH_BYTES)
