"""What tests of the stream have in common: files to write, and a program that answers what it likes."""

import hashlib
import io
from typing import Any

from targets.disk import Write
from targets.sftp.receiver import PROGRAM


def a_write(path: str, content: bytes = b"content", **how: Any) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), **how)


def many_writes(count: int, prefix: str = "f") -> list[Write]:
    return [a_write(f"{prefix}{number}", b"%d" % number) for number in range(count)]


class Liar:
    """Implements `Program`: takes all that it is sent, says what it was made with once it was asked, then nothing more."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._heard = 0
        self.in_vain = 0
        """How often something was waited for that never came."""
        self.closed = False

    def send(self, data: bytes, /) -> int:
        self._heard += len(data)
        return len(data)

    def recv(self, count: int, /) -> bytes:
        if not self._answers:
            self.in_vain += 1
            raise TimeoutError
        answer, self._answers[0] = self._answers[0][:count], self._answers[0][count:]
        if not self._answers[0]:
            self._answers.pop(0)
        return answer

    def settimeout(self, seconds: float, /) -> None:
        """What is not said by then never will be."""

    def recv_ready(self) -> bool:
        return bool(self._answers) and self._heard > len(PROGRAM)

    def recv_stderr_ready(self) -> bool:
        return False

    def recv_stderr(self, count: int, /) -> bytes:
        return b""

    def fileno(self) -> int:
        raise NotImplementedError

    def shutdown_write(self) -> None:
        """Nothing is heard."""

    def close(self) -> None:
        self.closed = True
