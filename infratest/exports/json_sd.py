"""`json-sd`: the stack's hosts as targets for Prometheus' file_sd and http_sd.

Source: Prometheus' documentation, `<file_sd_config>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infratest.deadline import Deadline
from infratest.exports._machine import Machine
from infratest.exports._targets import NODE_EXPORTER, target_group
from infratest.exports._yaml import document
from infratest.exports.base import STACK_FILE, Export, Left, What, Written, one_line


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is scraped on each host."""

    port: int = field(
        default=NODE_EXPORTER,
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
        port = self.options.port
        groups = {host.name: target_group(what.stack, what.env, host, port) for host in what.hosts}
        words = f"port {port} is neither routed nor published: add it to its ports:"
        left = [Left(name, words) for name, group in groups.items() if group is None]
        for group in groups.values():
            if group:
                group["labels"][STACK_FILE] = one_line(what.stack_file, "the path of the stack file")
        text = json.dumps([group for group in groups.values() if group], indent=2, ensure_ascii=False) + "\n"
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
