"""`json-sd`: the stack's hosts as targets for Prometheus' file_sd and http_sd.

Source: Prometheus' documentation, `<file_sd_config>` and "Writing HTTP Service Discovery". A label's name there is
letters, digits and underscores; what else stands in one of ours becomes an underscore.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.exports._machine import Machine
from infratest.exports._yaml import document
from infratest.exports.base import Export, Left, What, Written
from infratest.hosts import Host


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is scraped on each host."""

    port: int = field(
        default=9100,
        metadata={
            "low": 1,
            "high": 65535,
            "description": "The port of each host; by its endpoint, where it is published.",
        },
    )


class JsonSd(Export):
    """Targets for Prometheus' service discovery."""

    summary = "the stack's hosts as targets for Prometheus' file_sd and http_sd"

    def write(self, what: What, folder: Path) -> Written:
        left, targets = [], []
        for host in what.hosts:
            place = host.endpoint(self.options.port)
            if place is None:
                left.append(
                    Left(host.name, f"port {self.options.port} is neither routed nor published: add it to its ports:")
                )
                continue
            address, port = place
            shown = f"[{address}]" if ":" in address else address
            targets.append({"targets": [f"{shown}:{port}"], "labels": _labels(what, host)})
        text = json.dumps(targets, indent=2, ensure_ascii=False) + "\n"
        name = f"{what.name}.json"
        return Written(
            {name: text}, left=left, next=f"name {folder / name} by file_sd_configs of a scrape configuration"
        )

    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        program = machine.found("promtool", package="prometheus")
        with machine.laid_out(files, deadline) as folder:
            jobs = [{"job_name": name, "file_sd_configs": [{"files": [f"{folder}/{name}"]}]} for name in files]
            machine.put(document({"scrape_configs": jobs}), f"{folder}/prometheus.yml", deadline)
            machine.done([program, "check", "config", f"{folder}/prometheus.yml"], deadline, folder)
        return f"promtool check config takes it: {sum(len(json.loads(text)) for text in files.values())} targets"


def _labels(what: What, host: Host) -> dict[str, str]:
    """Return the labels of a host. Raises UserError: two of its own would have the same name there."""
    labels: dict[str, str] = {"stack": what.stack, "env": what.env, "host": host.name}
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
