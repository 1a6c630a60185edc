"""How long to wait before the next try. Pure: randomness is handed in."""

from collections.abc import Callable

from config import RetrySettings

Random = Callable[[], float]
"""A number in [0, 1)."""


def delay(attempt: int, retry: RetrySettings, random: Random, at_least: float = 0) -> float:
    """Seconds before try number `attempt` + 1: base x 2^(attempt - 1), half of it at random, at most `cap`.

    `at_least` is what the other side asked for (Retry-After), and may exceed the cap.
    """
    return max(_grown(retry.base, attempt, retry.cap) * (0.5 + random() / 2), at_least)


def breaker_delay(failures: int, retry: RetrySettings, random: Random) -> float:
    """Seconds before something unreachable is probed after so many failures in a row."""
    return _grown(retry.breaker, failures, retry.cap) * (0.75 + random() / 4)


def _grown(base: float, number: int, cap: float) -> float:
    # 2^60 s is past any cap; larger exponents would overflow a float.
    return min(base * 2.0 ** min(max(number - 1, 0), 60), cap)
