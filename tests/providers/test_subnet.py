"""`subnet:` means the same under every provider that makes a network: what hosts cannot be in is refused first."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.providers import container, libvirt, qemu, virtualbox
from infratest.providers.base import Context, HostSpec

PROVIDERS = {
    "container": (container.Container, container.Options, container.HostOptions),
    "libvirt": (libvirt.Libvirt, libvirt.Options, libvirt.HostOptions),
    "qemu": (qemu.Qemu, qemu.Options, qemu.HostOptions),
    "virtualbox": (virtualbox.VirtualBox, virtualbox.Options, virtualbox.HostOptions),
}


@pytest.mark.parametrize(
    ("subnet", "words"),
    [
        ("10.0.0.1/24", "10.0.0.1/24 has host bits set; write one as 10."),
        ("10.0.0.0/33", "write one as 10."),
        ("fd00::/64", "write one as 10."),
        ("a;touch /tmp/x", "write one as 10."),
        ("10.0.0.0/31", "10.0.0.0/31 has no room for hosts"),
        ("10.9.0.0/29", "for 7 hosts; name a larger `subnet:`"),
        ("127.0.0.0/24", "127.0.0.0/24 overlaps with the loopback"),
        ("224.0.0.0/24", "224.0.0.0/24 overlaps with multicast and reserved addresses"),
        ("0.0.0.0/0", "0.0.0.0/0 overlaps with unspecified addresses"),
    ],
)
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_network_that_hosts_cannot_be_in_is_refused_before_anything_is_made(
    tmp_path: Path, name: str, subnet: str, words: str
) -> None:
    provider, options, host_options = PROVIDERS[name]
    made = provider(options(subnet=subnet), Context(folder=tmp_path, state=tmp_path / "state", stack="s", env=""))
    specs = [HostSpec(name=f"web-{number}", options=host_options()) for number in range(7)]
    with pytest.raises(UserError) as refused:
        made.foresee(specs)
    assert f"provider {name}: subnet: " in str(refused.value)
    assert words in str(refused.value)
