# SPDX-License-Identifier: GPL-3.0-or-later
attempt = 1  # at the task that this process is in
