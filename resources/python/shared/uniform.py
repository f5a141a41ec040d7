# SPDX-License-Identifier: GPL-3.0-or-later
SEED = 7  # the same seed gives the same random numbers  #: seed


def uniform(index):
    """A random number from 0 to 1 that follows from SEED and the number of the task: SplitMix64."""
    mask = 2**64 - 1
    z = (SEED + (index + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    z ^= z >> 31
    return (z >> 11) * 2.0**-53
