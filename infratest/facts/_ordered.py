"""Versions of kernels and distributions as numbers in their order, for the sentences that compare them."""

from __future__ import annotations

from infratest.errors import UserError


def ordered(version: str) -> tuple[int, ...]:
    """Return a version as numbers that are ordered as it is, `6.1.0-18-amd64` as (6, 1, 0, 18); `-rc1` is -1.

    Raises:
        UserError: it does not begin with a number.
    """
    numbers = []
    for part in version.replace("-", ".").replace("+", ".").replace("_", ".").split("."):
        if not (part.isascii() and part.isdigit()):
            if part.startswith("rc"):
                numbers.append(-1)
            break
        numbers.append(int(part))
    if not numbers or numbers == [-1]:
        raise UserError(f"{version!r} is no version that can be put in order: it begins with a number, as 12 or 5.10")
    return tuple(numbers)
