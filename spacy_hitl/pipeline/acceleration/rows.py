"""A table of feature rows: finds for each row of an array the number it got when first seen."""

import numpy as np

# Odd 64-bit constants (Knuth's golden ratio and primes of xxHash): they spread rows over the table.
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    ],
    dtype="uint64",
)
_MIX = np.uint64(0xD6E8FEB86659FD93)


class RowTable:
    """Open addressing with linear probing, on whole arrays at a time.

    Rows are compared in full: equal hashes never make different rows one.

    width (int): Columns of a row.
    values (int): Columns of the value that is kept for each row.
    capacity (int): Rows it can hold; a power of 2.
    """

    def __init__(self, width: int, values: int, *, capacity: int = 1 << 16) -> None:
        self.capacity = capacity
        self._bits = capacity.bit_length()  # twice as many slots as rows
        self._slots = np.full(1 << self._bits, -1, dtype="int32")
        self._rows = np.zeros((capacity, width), dtype="uint64")
        self.values = np.zeros((capacity, values), dtype="f")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, rows: np.ndarray) -> np.ndarray:
        """Look rows up.

        rows (ndarray): Shape (n, width), uint64.
        RETURNS (ndarray): Shape (n,), int32: where in `values` each row's value is, -1 if it was
            not seen.
        """
        slot = self._first_slots(rows)
        found = self._slots[slot]
        wrong = np.nonzero((found >= 0) & ~self._equal(found, rows))[0]
        while len(wrong):
            slot[wrong] = (slot[wrong] + 1) & (len(self._slots) - 1)
            found[wrong] = self._slots[slot[wrong]]
            wrong = wrong[(found[wrong] >= 0) & ~self._equal(found[wrong], rows[wrong])]
        numbers: np.ndarray = found
        return numbers

    def add(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Add rows that are not in the table, each once, with their values. There must be room."""
        last = len(self._slots) - 1
        for slot, row, value in zip(self._first_slots(rows).tolist(), rows, values, strict=True):
            while self._slots[slot] >= 0:
                slot = (slot + 1) & last
            self._slots[slot] = self._count
            self._rows[self._count] = row
            self.values[self._count] = value
            self._count += 1

    def _equal(self, found: np.ndarray, rows: np.ndarray) -> np.ndarray:
        same: np.ndarray = (self._rows[found] == rows).all(axis=1)
        return same

    def _first_slots(self, rows: np.ndarray) -> np.ndarray:
        mixed = np.zeros(len(rows), dtype="uint64")
        for column in range(rows.shape[1]):
            mixed ^= rows[:, column] * _FACTORS[column % len(_FACTORS)]
            mixed *= _MIX
            mixed ^= mixed >> np.uint64(29)
        slots: np.ndarray = (mixed >> np.uint64(64 - self._bits)).astype("int64")
        return slots
