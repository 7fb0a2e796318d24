"""What the simulated cloud offers to every account: zones, templates, service offerings, networks."""

from __future__ import annotations

from typing import Any

#: The two accounts, by what their ids are.
ACCOUNTS = {"shop": "4bf8a1ee-9a7e-4b2f-8a6f-0d5f0c1f5a01", "museum": "9f0dd4c6-0a6c-4b53-9d1e-5ac9e2b7c202"}
ACCOUNT, DOMAIN, DOMAIN_ID = "shop", "ROOT", "4a8857b8-7235-4e31-a7ef-b8b44d180850"
ZONE_ID, OTHER_ZONE_ID = "1128bd56-b4d9-4ac6-a7b9-c715b187ce11", "2f0b3a52-5a27-4a0e-8e2d-3f6f6a4f8a10"

#: One by default; a test that wants a choice has OTHER_ZONE added.
ZONES: tuple[dict[str, Any], ...] = (
    {"id": ZONE_ID, "name": "zone-1", "networktype": "Advanced", "securitygroupsenabled": True},
)
OTHER_ZONE: dict[str, Any] = {
    "id": OTHER_ZONE_ID, "name": "zone-2", "networktype": "Advanced", "securitygroupsenabled": False,
}  # fmt: skip


def whose(account: str = ACCOUNT) -> dict[str, Any]:
    return {"account": account, "domainid": DOMAIN_ID, "domain": DOMAIN}


def template(number: int, name: str, made: str, account: str = "admin", **others: Any) -> dict[str, Any]:
    return whose(account) | {
        "id": f"{number:08d}-3b1c-4b5e-9d7f-000000000000", "name": name, "displaytext": name, "created": made,
        "ispublic": True, "isready": True, "isfeatured": account == "admin", "passwordenabled": False,
        "format": "QCOW2", "crossZones": True, "ostypeid": "0f6cb6b2-0b6a-4f3e-8d1e-000000000126",
        "ostypename": "Debian GNU/Linux 12 (64-bit)", "zoneid": ZONE_ID, "zonename": "zone-1", "size": 2147483648,
        "templatetype": "USER", "hypervisor": "KVM", "isextractable": False,
    } | others  # fmt: skip


TEMPLATES = (
    template(1, "Debian 12 20250101", "2025-01-01T00:00:00+0000"),
    template(2, "Debian 12 20260101", "2026-01-01T00:00:00+0000"),
    template(3, "Debian 11 20260201", "2026-02-01T00:00:00+0000"),
    template(4, "Debian 12 20260301", "2026-03-01T00:00:00+0000", isready=False),
    # Anybody may publish a template: a newer one of the same name, by somebody else.
    template(5, "Debian 12 20260401", "2026-04-01T00:00:00+0000", account="mallory"),
    template(6, "golden", "2026-01-01T00:00:00+0000", account=ACCOUNT, ispublic=False),
)


def offering(number: int, name: str, cpus: int, memory: int, **others: Any) -> dict[str, Any]:
    return {
        "id": f"{number:08d}-7c1d-4e7a-a1b2-000000000000", "name": name, "displaytext": f"{cpus} CPU, {memory} MB",
        "cpunumber": cpus, "cpuspeed": 2000, "memory": memory, "created": "2025-01-01T00:00:00+0000",
        "storagetype": "shared", "offerha": False, "domainid": DOMAIN_ID, "domain": DOMAIN, "iscustomized": False,
    } | others  # fmt: skip


#: The last one leaves CPUs and memory to each request, and so has none.
OFFERINGS = (
    offering(1, "tiny", 1, 512),
    offering(2, "small", 1, 2048),
    offering(3, "medium", 2, 4096),
    offering(4, "large", 4, 8192),
    {key: value for key, value in offering(5, "custom", 0, 0, iscustomized=True).items()
     if key not in ("cpunumber", "cpuspeed", "memory")},
)  # fmt: skip

#: What a network can be: the two that CloudStack has from the first for accounts, and one that needs a VLAN's number.
NETWORK_OFFERINGS: tuple[dict[str, Any], ...] = tuple(
    {
        "id": f"{number:08d}-5d0e-4c7b-8a55-000000000000", "name": name, "displaytext": name, "guestiptype": "Isolated",
        "state": "Enabled", "traffictype": "Guest", "isdefault": True, "availability": availability,
        "specifyvlan": vlan, "forvpc": vpc, "egressdefaultpolicy": False,
        "service": [{"name": each} for each in ("Dhcp", "Dns", "UserData", "SourceNat", "StaticNat", "Firewall")],
    }
    for number, name, availability, vlan, vpc in (
        (1, "AnIsolatedNetworkWithAVlan", "Required", True, False),
        (2, "DefaultIsolatedNetworkOfferingForVpcNetworks", "Optional", False, True),
        (3, "AnotherIsolatedNetworkOffering", "Optional", False, False),
        (4, "DefaultIsolatedNetworkOfferingWithSourceNatService", "Required", False, False),
    )
)  # fmt: skip

NETWORKS: tuple[dict[str, Any], ...] = tuple(
    {
        "id": f"{number:08d}-0430-4a04-9c7e-64bc18347bf7", "name": name, "displaytext": name, "zoneid": ZONE_ID,
        "zonename": "zone-1", "domain": DOMAIN, "domainid": DOMAIN_ID, "acltype": "Domain", "type": "Shared",
        "state": "Setup", "traffictype": "Guest", "canusefordeploy": True, "issystem": False, "specifyipranges": True,
        "related": f"{number:08d}-0430-4a04-9c7e-64bc18347bf7", "networkdomain": "cs1cloud.internal",
        "restartrequired": False, "service": [{"name": "SecurityGroup"}, {"name": "UserData"}, {"name": "Dhcp"}],
        "tags": [],
    }
    for number, name in ((1, "shared"), (2, "twin"), (3, "twin"))
)  # fmt: skip
