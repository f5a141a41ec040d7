# SPDX-License-Identifier: GPL-3.0-or-later
import math


def cpu_primes(index, limit):
    """Counts the primes below limit, by trial division of each number up to its root."""
    count = 0
    for number in range(2, limit):
        for divisor in range(2, math.isqrt(number) + 1):
            if number % divisor == 0:
                break
        else:  # no divisor was found
            count += 1
    return count
