"""Servers of Terraform (or OpenTofu), by `terraform show -json`: run in a folder, or its output as it was kept.

Loaded by name for `from: [{terraform: show.json}]`. A host's name is its resource's: `web` of aws_instance.web, `web-0`
by count, `web-a` by for_each, `shop-web` in module.shop. Its groups are the resource's own name and what its provider
calls tags without values, its labels the others. Format: "JSON Output Format" of Terraform's reference, and the
attributes of each resource by its provider's documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any, Literal

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories._program import AGE, MAX_AGE, json_map, printed
from infratest.inventories.base import Answer, Inventory, Listed, text_of

PROGRAMS = ("terraform", "tofu")
ADVICE = "run `terraform show -json` there by hand; `terraform init` makes a folder usable"
PUBLIC, PRIVATE = "public", "private"

#: `module.shop["eu"].aws_instance.web[0]` -> module, shop, "eu" ...
_PART = re.compile(r'([^.\["]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')


@dataclass(frozen=True)
class Options:
    """Whose servers, and by which address they are reached."""

    path: str = field(
        metadata={
            "short": True, "source": True, "title": "a path",
            "description": "A folder of Terraform, or a file with what `terraform show -json` printed.",
        }
    )  # fmt: skip
    address: Literal["any", "public", "private"] = field(
        default="any",
        metadata={
            "description": "Which address is used; any is the public one where there is one, else the private one."
        },
    )
    max_age: float = field(default=MAX_AGE, metadata=AGE)


@dataclass(frozen=True)
class Server:
    """What is read of one kind of resource.

    Args:
        public, private: return its addresses of that kind, the first one counts. tags: where its labels stand; words:
        a list of tags without values.
    """

    public: Callable[[Mapping[str, Any]], Sequence[Any]]
    private: Callable[[Mapping[str, Any]], Sequence[Any]]
    tags: str = ""
    words: str = ""


def _of(*names: str) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Return what reads some attributes, in this order; of one that is a list its first entry."""
    return lambda values: [each[0] if isinstance(each, list) and each else each for each in map(values.get, names)]


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _inner(outer: str, *names: str) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Return what reads some attributes of the maps in a list."""
    return lambda values: [each.get(name) for name in names for each in _maps(values.get(outer))]


def _nat(values: Mapping[str, Any]) -> list[Any]:
    networks = _maps(values.get("network_interface"))
    return [each.get("nat_ip") for network in networks for each in _maps(network.get("access_config"))]


def _leases(values: Mapping[str, Any]) -> list[Any]:
    networks = _maps(values.get("network_interface"))
    return [address for network in networks for address in network.get("addresses") or ()]


def _hetzner(values: Mapping[str, Any]) -> list[Any]:
    return [each.get("ip") for each in _maps(values.get("network"))]


def _fixed(values: Mapping[str, Any]) -> list[Any]:
    networks = _maps(values.get("network"))
    return [values.get("access_ip_v4"), *(each.get("fixed_ip_v4") for each in networks), values.get("access_ip_v6")]


_NOTHING = _of()
#: Resources that are servers.
SERVERS = {
    "aws_instance": Server(_of("public_ip", "public_dns", "ipv6_addresses"), _of("private_ip"), "tags"),
    "azurerm_linux_virtual_machine": Server(_of("public_ip_address"), _of("private_ip_address"), "tags"),
    "digitalocean_droplet": Server(
        _of("ipv4_address", "ipv6_address"), _of("ipv4_address_private"), words="tags"
    ),
    "google_compute_instance": Server(_nat, _inner("network_interface", "network_ip"), "labels", "tags"),
    "hcloud_server": Server(_of("ipv4_address", "ipv6_address"), _hetzner, "labels"),
    "libvirt_domain": Server(_NOTHING, _leases),
    "openstack_compute_instance_v2": Server(
        _of("floating_ip"), _fixed, "metadata", "tags"
    ),
}  # fmt: skip
#: How other resources that are servers are called. One that is not read here, and not known to be something else, would
#: be a host that nobody misses.
_SERVER = re.compile(r".*_(instance|server|droplet|virtual_machine|vm)(_v\d+)?")
NO_SERVERS = frozenset(
    """aws_connect_instance aws_db_instance aws_dms_replication_instance aws_docdb_cluster_instance
    aws_neptune_cluster_instance aws_rds_cluster_instance aws_sagemaker_notebook_instance aws_transfer_server
    azurerm_analysis_services_server azurerm_mariadb_server azurerm_mssql_server azurerm_mysql_flexible_server
    azurerm_mysql_server azurerm_postgresql_flexible_server azurerm_postgresql_server azurerm_sql_server
    google_alloydb_instance google_apigee_instance google_bigtable_instance google_data_fusion_instance
    google_filestore_instance google_looker_instance google_memcache_instance google_notebooks_instance
    google_redis_instance google_secure_source_manager_instance google_spanner_instance google_sql_database_instance
    google_workbench_instance openstack_db_instance_v1""".split()
)


class Terraform(Inventory):
    """Servers in the state of Terraform, with addresses and tags."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        path = self.path(self.options.path)
        files: tuple[Path, ...]
        if not path.is_dir():
            what, files, asked, text = str(path), (path,), False, text_of(path)
        else:
            program = next((each for each in map(which, PROGRAMS) if each), None)
            if program is None:
                words = f"{path} is a folder, and neither `terraform` nor `tofu` is in PATH to say what it holds"
                raise InventoryError(words)
            text = printed([program, "show", "-json"], path, deadline, ADVICE, {"TF_IN_AUTOMATION": "1"})
            files, asked, what = tuple(_state(path)), True, "what `terraform show -json` says"
        hosts = tuple(self._listed(each, what) for each in _resources(json_map(text, what), what))
        return Answer(hosts=hosts, files=files, asked=asked)

    def _listed(self, resource: Mapping[str, Any], what: str) -> Listed:
        address, kind = str(resource.get("address")), str(resource.get("type"))
        values = _without_secrets(resource.get("values") or {}, resource.get("sensitive_values"))
        server = SERVERS.get(kind)
        about: dict[str, Any] = {"name": name_at(address), "where": f"{what}: {clean(address, 120)}"}
        if server is None:
            there = ", ".join(SERVERS)
            return Listed(**about, problem=f"{clean(kind, 60)} is not read here; known are {there}")
        tags, words = values.get(server.tags), values.get(server.words)
        about["labels"] = {str(key): str(value) for key, value in (tags if isinstance(tags, Mapping) else {}).items()}
        if isinstance(values.get("name"), str):
            about["labels"].setdefault("name", values["name"])
        words = [str(each) for each in words if isinstance(each, str)] if isinstance(words, list) else []
        about["groups"] = tuple(dict.fromkeys((str(resource.get("name")), *words)))
        return Listed(**about | self._address(server, values))

    def _address(self, server: Server, values: Mapping[str, Any]) -> dict[str, str]:
        kinds = (self.options.address,) if self.options.address != "any" else (PUBLIC, PRIVATE)
        for kind in kinds:
            for each in (server.public if kind == PUBLIC else server.private)(values):
                if isinstance(each, str) and each:
                    return {"address": each.partition("/")[0].strip("[]")}
        return {"problem": f"it has no {' and no '.join(kinds)} address there: is it stopped?"}


def _state(folder: Path) -> Iterator[Path]:
    """Yield the files that say which state is shown, by workspace and backend, and the state where it is a file."""
    data = folder / (os.environ.get("TF_DATA_DIR") or ".terraform")
    chosen = data / "environment"
    yield from (chosen, data / "terraform.tfstate", folder / "terraform.tfstate")
    try:
        workspace = os.environ.get("TF_WORKSPACE") or chosen.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    yield folder / "terraform.tfstate.d" / workspace / "terraform.tfstate"


def name_at(address: str) -> str:
    """Return a host's name by its resource's address: the names in it and their indexes, joined by hyphens.

    Each name stands behind a word for its kind: `module.shop["eu"].aws_instance.web[0]` is `shop-eu-web-0`.
    """
    words: list[str] = []
    kind = True
    for found in _PART.finditer(address):
        if found[1] is None:
            words.append(found[3] if found[2] is None else found[2])
            continue
        if not kind:
            words.append(found[1])
        kind = not kind
    return "-".join(words)


def _resources(data: Mapping[str, Any], what: str) -> Iterator[Mapping[str, Any]]:
    """Yield the servers of a state, or of a plan's state before it, those of all its modules.

    Raises:
        InventoryError: it is no such output, or of a format that is not known here.
    """
    version = str(data.get("format_version", ""))
    if version.partition(".")[0] not in ("0", "1"):
        found = f"format_version {clean(version, 20)!r}" if version else "no format_version"
        raise InventoryError(f"{what} is no output of `terraform show -json` that is known here: it has {found}")
    state = data.get("values")
    if state is None and "planned_values" in data:
        raise InventoryError(f"{what} is of a plan, which says what will be; show the state: `terraform show -json`")
    root = state.get("root_module") if isinstance(state, Mapping) else None
    if not isinstance(root, Mapping):
        raise InventoryError(f"{what} holds no state: nothing was made from there yet, or its state is elsewhere")
    yield from _of_module(root)


def _of_module(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in _maps(module.get("resources")):
        if resource.get("mode") == "managed" and _is_server(str(resource.get("type"))):
            yield resource
    for child in _maps(module.get("child_modules")):
        yield from _of_module(child)


def _is_server(kind: str) -> bool:
    return kind in SERVERS or bool(_SERVER.fullmatch(kind) and kind not in NO_SERVERS)


def _without_secrets(values: Mapping[str, Any], secret: Any) -> dict[str, Any]:
    """Return values without those that Terraform calls sensitive; a map or list that holds one is looked into."""
    if not isinstance(secret, Mapping):
        return {} if secret is True else dict(values)
    found = {}
    for key, value in values.items():
        mark = secret.get(key)
        if mark is True:
            continue
        found[key] = (
            _without_secrets(value, mark) if isinstance(value, Mapping) and isinstance(mark, Mapping) else value
        )
    return found
