"""EC2's answers and requests as libcloud does not have them: actions asked by name, lists to their end, tags.

Called by the driver ec2 and by what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infratest.cleaning import clean


def tag(name: str) -> str:
    """Return the name of an element of EC2's answers, with their name space."""
    from libcloud.compute.drivers.ec2 import NAMESPACE

    return f"{{{NAMESPACE}}}{name}"


def asked(lib: Any, action: str, params: Mapping[str, str]) -> Any:
    """Return the answer to an action, as XML."""
    answer = lib.connection.request("/", params={"Action": action, **params}).object
    if answer.tag != tag(f"{action}Response"):
        # Another XML, in another namespace: read as it stands it would be an empty list.
        raise ValueError(f"an answer to {action} that begins with {clean(str(answer.tag), 100)}")
    return answer


def pages(
    lib: Any, action: str, items: str, *, filters: Mapping[str, Any], given: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """Yield the answers to a listing, to its end: libcloud reads the first alone.

    Args:
        items: the element that holds the list; an empty list has it too. given: what the action takes beside filters.
    Raises:
        ValueError: an answer without it, or one that leads back to an earlier one: what there is is not known.
    """
    params = {key: str(value) for key, value in lib._build_filters(dict(filters)).items()} | dict(given or {})
    tokens = [""]
    while True:
        page = asked(lib, action, params | ({"NextToken": tokens[-1]} if tokens[-1] else {}))
        if page.find(tag(items)) is None:
            raise ValueError(f"an answer to {action} without its {items}")
        yield page
        token = page.findtext(tag("nextToken")) or ""
        if not token:
            return
        if token in tokens:
            raise ValueError(f"a list of {action} that leads back to where it was")
        tokens.append(token)


def tags(kind: str, name: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that have a thing carry labels from its first moment."""
    given = {"TagSpecification.1.ResourceType": kind}
    for number, (key, value) in enumerate({"Name": name, **labels}.items(), 1):
        given |= {f"TagSpecification.1.Tag.{number}.Key": key, f"TagSpecification.1.Tag.{number}.Value": value}
    return given
