# SPDX-License-Identifier: GPL-3.0-or-later
def blurred(line, radius):
    """Each pixel becomes the mean of itself and its neighbours; those at the ends repeat."""
    padded = line[:1] * radius + line + line[-1:] * radius
    width = 2 * radius + 1
    return [sum(padded[i : i + width]) // width for i in range(len(line))]


def cpu_blur(index, width, height, radius):
    """Blurs an image: each row, then each column. Returns a checksum."""
    rows = [[(7 * x + 13 * y) % 256 for x in range(width)] for y in range(height)]
    rows = [blurred(row, radius) for row in rows]
    columns = [blurred(list(column), radius) for column in zip(*rows)]
    pixels = [pixel for row in zip(*columns) for pixel in row]
    return sum(pixel * (i + 1) for i, pixel in enumerate(pixels)) % 2**64
