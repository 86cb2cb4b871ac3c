"""Positioned reads of event files; what else a path may have become costs an error, and no hang."""

from __future__ import annotations

import errno
import os
import stat

import google_crc32c

_BLOCK = 1 << 20
# Without O_NONBLOCK, opening a FIFO that took the place of a file waits for a writer for ever.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"):
    _FLAGS |= getattr(os, _name, 0)


class EventFile:
    """An open regular file, for one thread; a context manager that closes it.

    Attributes:
        size: Its size in bytes when it was opened.
        inode: Its identity: another file of the same name has another one.
    """

    def __init__(self, path: str) -> None:
        """Opens `path`.

        Raises:
            OSError: If it cannot be opened, or is not a regular file.
        """
        self._descriptor = os.open(path, _FLAGS)
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(self._descriptor)
            raise OSError(errno.EINVAL, "it is not a regular file", path)
        self.size = facts.st_size
        self.inode = facts.st_ino

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, offset: int, size: int) -> bytes:
        """Returns up to `size` bytes from `offset` on; fewer only at the end of the file."""
        parts = []
        while size > 0:
            part = self._read_once(offset, size)
            if not part:
                break
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def checksum(self, offset: int, size: int) -> int:
        """Returns the CRC-32C of bytes, read block by block."""
        checksum = 0
        for start in range(offset, offset + size, _BLOCK):
            checksum = google_crc32c.extend(checksum, self.read(start, min(_BLOCK, offset + size - start)))
        return checksum

    def _read_once(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, size, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)  # Windows; nobody else moves this descriptor
        return os.read(self._descriptor, size)
