"""How fast one may ask, and how long to wait after a failure. Pure: time comes in as a number."""

import email.utils
from dataclasses import dataclass, field
from typing import Mapping, Optional

MAX_RETRY_AFTER = 600.0  # seconds; a server that asks for more is treated as if it asked for this


@dataclass
class Bucket:
    """A token bucket: `per_minute` units flow in, up to the amount of `burst` seconds.

    per_minute (Optional[float]): None means no limit.
    burst (float): Seconds' worth that may be taken at once.
    """

    per_minute: Optional[float]
    burst: float = 1.0
    _debt_free_at: float = field(default=float("-inf"), repr=False)

    def take(self, amount: float, *, now: float) -> float:
        """Book an amount, and tell how long to wait before using it.

        amount (float): Requests or tokens.
        now (float): Current time in seconds, of any steady clock.
        RETURNS (float): Seconds to wait, 0 if there is room now.

        >>> bucket = Bucket(per_minute=60, burst=2)
        >>> [bucket.take(1, now=0.0) for _ in range(4)]
        [0.0, 0.0, 0.0, 1.0]
        """
        if self.per_minute is None:
            return 0.0
        start = max(self._debt_free_at, now - self.burst)
        self._debt_free_at = start + amount * 60.0 / self.per_minute
        return max(0.0, start - now)


def backoff(attempt: int, *, dice: float, base: float = 0.5, cap: float = 30.0) -> float:
    """Exponential back-off with full jitter on its upper half.

    attempt (int): How many attempts have failed, from 1.
    dice (float): A random number from 0 to 1.
    base (float): Seconds after the first failure, at most.
    cap (float): Seconds, at most.
    RETURNS (float): Seconds to wait.

    >>> [backoff(n, dice=1.0) for n in (1, 2, 3, 10)]
    [0.5, 1.0, 2.0, 30.0]
    """
    longest = min(cap, base * 2.0 ** min(attempt - 1, 30))
    return longest * (0.5 + 0.5 * dice)


def retry_after(headers: Mapping[str, str], *, now: float) -> Optional[float]:
    """Read how long a server asks to wait.

    headers (Mapping[str, str]): `retry-after-ms`, or `retry-after` in seconds or as a date (RFC
        9110, section 10.2.3).
    now (float): Seconds since the epoch.
    RETURNS (Optional[float]): Seconds, or None if the server does not say.

    >>> retry_after({"retry-after": "2"}, now=0.0)
    2.0
    """
    wait: Optional[float] = None
    try:
        if "retry-after-ms" in headers:
            wait = float(headers["retry-after-ms"]) / 1000
        elif "retry-after" in headers:
            wait = float(headers["retry-after"])
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(headers["retry-after"])
        except (KeyError, ValueError):
            return None
        wait = date.timestamp() - now
    return None if wait is None or wait != wait else min(max(0.0, wait), MAX_RETRY_AFTER)
