# SPDX-License-Identifier: GPL-3.0-or-later
def cpu_mandelbrot(index, width, height, iterations):
    """Iterates z = z² + c for each pixel, as long as |z| is at most 2. Returns all iterations."""
    total = 0
    for y in range(height):
        cy = -1.5 + 3.0 * y / height
        for x in range(width):
            cx = -2.0 + 3.0 * x / width
            zx = zy = 0.0
            count = 0
            while count < iterations and zx * zx + zy * zy <= 4.0:
                zx, zy = zx * zx - zy * zy + cx, 2.0 * zx * zy + cy
                count += 1
            total += count
    return total
