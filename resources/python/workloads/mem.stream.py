# SPDX-License-Identifier: GPL-3.0-or-later
def mem_stream(index, bytes, passes):
    """Copies a block of memory to another, passes times. Returns the bytes that were moved."""
    source = bytearray(b"\x01") * bytes
    target = bytearray(bytes)
    for _ in range(passes):
        target[:] = source
    return bytes * passes
