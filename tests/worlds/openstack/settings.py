"""The configuration files of the five services: SQLite for databases, no message broker, a hypervisor that only plays.

Each file is a mapping of sections to options, written as INI. Where an option is there for a reason that is not its own
name, the reason stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Sections = dict[str, dict[str, str]]

REGION = "RegionOne"
ADMIN = "admin"
#: Of a cloud that listens on loopback, lives as long as its tests, and holds nothing.
PASSWORD = "not-a-secret"
#: The role by which one service knows another.
SERVICE_ROLE = "service"
#: Who listens: what keystone's catalogue calls them.
SERVICES = ("identity", "placement", "image", "compute", "network")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a cloud lives: its folder, the folder of its programs, and the port of each service."""

    folder: Path
    environment: Path
    ports: Mapping[str, int]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def database(self, name: str) -> str:
        return f"sqlite:///{self.folder}/{name}.db?timeout=60"

    def file(self, service: str) -> Path:
        """Return the configuration file of a service."""
        return self.folder / FILES[service]


#: Each in a folder of its own, because oslo.config also reads what it finds beside a file.
FILES = {
    "identity": "keystone/keystone.conf",
    "placement": "placement/placement.conf",
    "image": "glance/glance-api.conf",
    "compute": "nova/nova.conf",
    "network": "neutron/neutron.conf",
}


def write(place: Place) -> None:
    """Write every configuration file."""
    makers = {
        "identity": _keystone,
        "placement": _placement,
        "image": _glance,
        "compute": _nova,
        "network": _neutron,
    }
    for service, sections in makers.items():
        file = place.file(service)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_ini(sections(place)), "utf-8")


def _ini(sections: Sections) -> str:
    lines = []
    for name, options in sections.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""]
    return "\n".join(lines)


def _login(place: Place) -> dict[str, str]:
    """Return how one service logs in to another."""
    return {
        "auth_url": place.url("identity") + "/v3",
        "auth_type": "password",
        "project_domain_name": "Default",
        "user_domain_name": "Default",
        "project_name": ADMIN,
        "username": ADMIN,
        "password": PASSWORD,
        "region_name": REGION,
    }


def _verifies_tokens(place: Place) -> dict[str, str]:
    """Return how a service verifies the tokens of its callers."""
    return {
        "www_authenticate_uri": place.url("identity") + "/v3",
        "service_token_roles": SERVICE_ROLE,
        "service_token_roles_required": "true",
    } | _login(place)


def _log(place: Place, name: str) -> dict[str, str]:
    return {"log_file": f"{place.folder}/log/{name}.log"}


def _keystone(place: Place) -> Sections:
    return {
        "DEFAULT": _log(place, "keystone"),
        "database": {"connection": place.database("keystone")},
        "identity": {"password_hash_rounds": "4"},  # the fewest: 12, the default, are most of what a cloud costs
        "fernet_tokens": {"key_repository": f"{place.folder}/keystone/fernet"},
        "credential": {"key_repository": f"{place.folder}/keystone/credential"},
    }


def _placement(place: Place) -> Sections:
    return {
        "DEFAULT": _log(place, "placement"),
        "api": {"auth_strategy": "keystone"},
        "placement_database": {"connection": place.database("placement")},
        "keystone_authtoken": _verifies_tokens(place),
    }


def _glance(place: Place) -> Sections:
    folder = f"{place.folder}/glance"
    return {
        "DEFAULT": {
            **_log(place, "glance"),
            "workers": "0",
            "enabled_backends": "file:file",
            "node_staging_uri": f"file://{folder}/staging",
        },
        "database": {"connection": place.database("glance")},
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": f"{folder}/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": f"{folder}/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": f"{folder}/tasks"},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": f"{place.environment}/etc/glance/glance-api-paste.ini",
        },
        "keystone_authtoken": _verifies_tokens(place),
    }


def _nova(place: Place) -> Sections:
    login = _login(place)
    return {
        "DEFAULT": {
            **_log(place, "nova"),
            "state_path": f"{place.folder}/nova",
            "instances_path": f"{place.folder}/nova/instances",
            "my_ip": "127.0.0.1",
            "host": "compute",
            "compute_driver": "hypervisor.Hypervisor",  # in services/: nova's FakeDriver, and an sshd for each server
            "transport_url": "fake:///",  # messages stay in the process, which holds all of nova's services
            "enabled_apis": "osapi_compute",
        },
        "api": {"auth_strategy": "keystone"},
        "api_database": {"connection": place.database("nova_api")},
        "database": {"connection": place.database("nova_cell1")},
        "oslo_concurrency": {"lock_path": f"{place.folder}/nova/lock"},
        "wsgi": {"api_paste_config": f"{place.environment}/etc/nova/api-paste.ini"},
        "glance": {"api_servers": place.url("image")},
        "placement": login,
        "neutron": {**login, "endpoint_override": place.url("network")},
        # What nova does for a user it does by the user's token and its own: neutron gives up a server's port to both.
        "service_user": {"send_service_user_token": "true"} | login,
        "cinder": {**login, "endpoint_override": "http://127.0.0.1:9/v3/%(project_id)s"},  # there is none
        "vnc": {"enabled": "false"},
        "spice": {"enabled": "false"},
        "filter_scheduler": {"track_instance_changes": "false"},
        "keystone_authtoken": _verifies_tokens(place),
    }


def _neutron(place: Place) -> Sections:
    return {
        "DEFAULT": {
            **_log(place, "neutron"),
            "state_path": f"{place.folder}/neutron",
            "core_plugin": "ml2",
            "service_plugins": "router",  # for floating addresses
            "auth_strategy": "keystone",
            "transport_url": "fake:///",
            "api_paste_config": f"{place.environment}/etc/neutron/api-paste.ini",
            "notify_nova_on_port_status_changes": "false",
            "notify_nova_on_port_data_changes": "false",
            "dhcp_agent_notification": "false",
            "rpc_workers": "0",
        },
        "database": {"connection": place.database("neutron")},
        "oslo_concurrency": {"lock_path": f"{place.folder}/neutron/lock"},
        "ml2": {
            "type_drivers": "local",
            "tenant_network_types": "local",
            "mechanism_drivers": "binds_every_port",  # ours, in services/: no agent runs that one of neutron's asks for
            "extension_drivers": "port_security",
        },
        "securitygroup": {"enable_security_group": "true"},
        "keystone_authtoken": _verifies_tokens(place),
    }
