"""Labels in a description: of what a cloud lets carry nothing else from the first moment, such as a security group."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from infratest.errors import ProviderError

#: How a description begins that holds labels. Characters that neutron and CloudStack take, and how labels begin.
DESCRIBED = "infratest?"
LONGEST = 255
PREFIX = "infratest."


def described(labels: Mapping[str, str]) -> str:
    """Return labels as a description; where the state directory is, is left out when it makes it too long.

    Raises:
        ProviderError: it is too long without it.
    """
    kept = {key.removeprefix(PREFIX): value for key, value in labels.items() if value}
    text = DESCRIBED + urlencode(kept)
    if len(text) > LONGEST:
        text = DESCRIBED + urlencode({key: value for key, value in kept.items() if key != "directory"})
    if len(text) > LONGEST:
        raise ProviderError(
            f"the lease's labels do not fit into the description of a security group or network, which has "
            f"{LONGEST} characters: shorten the stack's name, or INFRATEST_OWNER"
        )
    return text


def labels_of(description: str) -> dict[str, str]:
    """Return the labels in a description, none of one that is not ours."""
    if not description.startswith(DESCRIBED):
        return {}
    return {PREFIX + key: value for key, value in parse_qsl(description.removeprefix(DESCRIBED))}
