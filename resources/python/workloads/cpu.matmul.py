# SPDX-License-Identifier: GPL-3.0-or-later
def cpu_matmul(index, n):
    """Multiplies two matrices. Returns the sum of all elements."""
    a = [[(i * n + j) % 7 for j in range(n)] for i in range(n)]
    b = [[(i + 2 * j) % 5 for j in range(n)] for i in range(n)]
    total = 0
    for row in a:
        product = [0] * n
        for k in range(n):
            factor, other = row[k], b[k]
            for j in range(n):
                product[j] += factor * other[j]
        total += sum(product)
    return total % 2**64
