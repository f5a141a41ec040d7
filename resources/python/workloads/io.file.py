# SPDX-License-Identifier: GPL-3.0-or-later
import os
import tempfile


def io_file(index, bytes, fsync):
    """Writes bytes 0 to 255, again and again, to a temporary file, and reads them back."""
    piece = bytearray(range(256)) * 1024
    with tempfile.TemporaryFile() as file:
        for begin in range(0, bytes, len(piece)):
            file.write(piece[: bytes - begin])
        file.flush()
        if fsync:
            os.fsync(file.fileno())
        file.seek(0)
        back = 0
        while part := file.read(len(piece)):
            if part != piece[: len(part)]:
                raise RuntimeError("the file does not hold what was written to it")
            back += len(part)
        return back
