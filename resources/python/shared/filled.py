# SPDX-License-Identifier: GPL-3.0-or-later
def filled(size, seed):
    """So many bytes that can be checked at the other end: byte k is seed + k, modulo 256."""
    begin = seed % 256
    return (bytes(range(256)) * (size // 256 + 2))[begin : begin + size]
