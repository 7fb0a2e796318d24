"""Targets as Prometheus' file_sd reads them: by json-sd of our own, and by whoever else writes them."""

from __future__ import annotations

import json

from infratest.testing.inventories import Case

OURS = {
    "targets": ["192.0.2.11:9100"],
    "labels": {"stack": "shop", "env": "prod", "host": "web-1", "groups": ",web,edge,", "label_role": "front"},
}
THEIRS = {"targets": ["db.example:9100", "[2001:db8::1]:9100", "192.0.2.12"], "labels": {"job": "db", "__path__": "/m"}}
#: A second port of a host is no second host.
MORE = {"targets": ["db.example:9187"], "labels": {"exporter": "postgres"}}


def text(*groups: object) -> str:
    return json.dumps(groups)


CASE = Case(
    works="targets.json",
    files={"targets.json": text(OURS, THEIRS, MORE)},
    hosts={
        "web-1": {"address": "192.0.2.11", "groups": ("web", "edge"), "labels": {"role": "front"}, "port": None},
        "db.example": {"address": "db.example", "groups": (), "labels": {"job": "db", "exporter": "postgres"}},
        "2001:db8::1": {"address": "2001:db8::1", "labels": {"job": "db"}},
        "192.0.2.12": {"address": "192.0.2.12"},
    },
    reads=("targets.json",),
    broken=(
        ({"targets.json": None}, "there is no "),
        ({"targets.json": text(OURS)[:-9]}, "is no JSON"),
        ({"targets.json": "{}"}, "a list is expected"),
        ({"targets.json": text({"targets": "web-1"})}, "[0]: a group has a list `targets`"),
        ({"targets.json": text(OURS, {"labels": {}})}, "[1]: a group has a list `targets`"),
        ({"targets.json": text({"targets": ["a"], "labels": {"x": 1}})}, "labels are texts"),
        ({"targets.json": text({"targets": ["http://a/"]})}, "'http://a/' is neither HOST nor HOST:PORT"),
        ({"targets.json": text({"targets": [["a"]]})}, "is neither HOST nor HOST:PORT"),
        ({"targets.json": text({"targets": [":9100"]})}, "':9100' is neither HOST nor HOST:PORT"),
        ({"targets.json": text({"targets": ["2001:db8::1"]})}, "is neither HOST nor HOST:PORT"),
        ({"targets.json": text(THEIRS, {"targets": ["db.example:1"], "labels": {"job": "x"}})}, "they must agree"),
        ({"targets.json": text(OURS, {**OURS, "targets": ["192.0.2.99:1"]})}, "web-1 is at 192.0.2.11 there"),
    ),
    refused=({}, 3),
)
