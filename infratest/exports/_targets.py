"""A host as a target of Prometheus: for `json-sd`, and for what a monitor answers at `/sd`.

Source: Prometheus' documentation, `<file_sd_config>` and "Writing HTTP Service Discovery". A label's name there is
letters, digits and underscores; what else stands in one of ours becomes an underscore.
"""

from __future__ import annotations

import re
from typing import Any

from infratest.errors import UserError
from infratest.hosts import Host

#: The port of Prometheus' exporter of machines, where nobody names another.
NODE_EXPORTER = 9100


def target_group(stack: str, env: str, host: Host, port: int) -> dict[str, Any] | None:
    """Return a host as Prometheus takes it from a file or by HTTP; None where nobody reaches its port.

    Raises:
        UserError: two of its labels would have the same name there.
    """
    place = host.endpoint(port)
    if place is None:
        return None
    address, there = place
    shown = f"[{address}]" if ":" in address else address
    return {"targets": [f"{shown}:{there}"], "labels": _labels(stack, env, host)}


def _labels(stack: str, env: str, host: Host) -> dict[str, str]:
    """Return the labels of a host. Raises UserError: two of its own would have the same name there."""
    labels: dict[str, str] = {"stack": stack, "env": env, "host": host.name}
    # As Consul's tags are written there: with a comma at both ends, so that `,web,` is found in it.
    labels["groups"] = f",{','.join(host.groups)}," if host.groups else ""
    for key, value in host.labels.items():
        name = f"label_{re.sub('[^a-zA-Z0-9_]', '_', key)}"
        if name in labels:
            raise UserError(f"host {host.name}: two labels would both be {name} for Prometheus; rename {key!r}")
        labels[name] = value
    return {name: _text(value) for name, value in labels.items() if value}


def _text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()
