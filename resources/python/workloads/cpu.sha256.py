# SPDX-License-Identifier: GPL-3.0-or-later
import hashlib


def cpu_sha256(index, bytes, rounds):
    """Hashes bytes 0 to 255, again and again; each further round hashes the digest."""
    data = (bytearray(range(256)) * (bytes // 256 + 1))[:bytes]
    digest = hashlib.sha256(data)
    for _ in range(rounds - 1):
        digest = hashlib.sha256(digest.digest())
    return digest.hexdigest()
