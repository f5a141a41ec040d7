# SPDX-License-Identifier: GPL-3.0-or-later
def math_square(index, x):
    return x * x
