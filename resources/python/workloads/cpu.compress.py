# SPDX-License-Identifier: GPL-3.0-or-later
import zlib


def cpu_compress(index, bytes, level):
    """Compresses bytes 0 to 255, again and again. Returns the compressed size."""
    data = (bytearray(range(256)) * (bytes // 256 + 1))[:bytes]
    return len(zlib.compress(data, level))
