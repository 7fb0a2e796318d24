"""Signed zones, and name servers that look at their signatures or do not: unbound on free ports of the loopback.

`example` is the one trust anchor. Below it `bogus.example` has signatures that ran out, `forged.example` a record that
its signature is not of, and `plain.example` is not signed, as its parent's signed NSEC says. Each server has the zones
as what is written of them elsewhere (auth-zone, not for those who ask), so that it has to validate them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdataset
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import DSDigest

from tests.worlds.tls_servers import free_ports, running

DAY = timedelta(days=1)

APEX = "@ 300 IN SOA ns hostmaster 1 3600 600 86400 60\n@ 300 IN NS ns\nns 300 IN A 127.0.0.9\n"
EXAMPLE = APEX + (
    "shop 300 IN A 10.0.0.2\nwww 300 IN CNAME shop\nmail 300 IN MX 10 shop\n"
    "away 300 IN CNAME shop.plain\n*.wild 300 IN A 10.0.0.4\n"
    "plain 300 IN NS ns.plain\nns.plain 300 IN A 127.0.0.9\n"
    "bogus 300 IN NS ns.bogus\nns.bogus 300 IN A 127.0.0.9\n"
    "forged 300 IN NS ns.forged\nns.forged 300 IN A 127.0.0.9\n"
)
BELOW = APEX + "shop 300 IN A 10.0.0.3\n"

SETTINGS = """
server:
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  pidfile: ""
  interface: 127.0.0.1@{port}
  num-threads: 1
  module-config: "{modules}"
  ede: {errors}
  harden-dnssec-stripped: yes
  trust-anchor: "{anchor}"
  do-not-query-localhost: no
  root-hints: "{folder}/no-root"
  local-zone: "refused.example." refuse
remote-control:
  control-enable: no
"""
AUTHORITY = """
auth-zone:
  name: "{name}"
  zonefile: "{folder}/{name}.zone"
  for-downstream: {downstream}
  for-upstream: yes
"""

#: Server -> its modules, whether it says why (RFC 8914), and whether it answers as the zones' own server.
SERVERS = {
    "validating": ("validator iterator", "yes", "no"),
    "quiet": ("validator iterator", "no", "no"),
    "trusting": ("iterator", "no", "no"),
    "authority": ("iterator", "no", "yes"),
}


@contextmanager
def signed_zones(folder: Path) -> Iterator[dict[str, int]]:
    """Have the servers until the block ends, by name with their ports."""
    anchor = _zones(folder)
    (folder / "no-root").write_text(". 300 IN NS a.nowhere.\na.nowhere. 300 IN A 127.0.0.1\n")
    zones = ("example.", "plain.example.", "bogus.example.", "forged.example.")
    ports = dict(zip(SERVERS, free_ports(len(SERVERS)), strict=True))
    with _all(folder, anchor, zones, ports, list(SERVERS)):
        yield ports


@contextmanager
def _all(folder: Path, anchor: str, zones: tuple[str, ...], ports: dict[str, int], left: list[str]) -> Iterator[None]:
    if not left:
        yield
        return
    name, *others = left
    modules, errors, downstream = SERVERS[name]
    text = SETTINGS.format(port=ports[name], modules=modules, errors=errors, anchor=anchor, folder=folder)
    text += "".join(AUTHORITY.format(name=zone, folder=folder, downstream=downstream) for zone in zones)
    settings = folder / f"{name}.conf"
    settings.write_text(text)
    with running("unbound", "-c", str(settings), ports=(ports[name],)), _all(folder, anchor, zones, ports, others):
        yield


def _zones(folder: Path) -> str:
    """Write the zones, and return the trust anchor for `example`."""
    now = datetime.now(UTC)
    past = (now - 20 * DAY, now - 5 * DAY)
    whole = (now - DAY, now + 20 * DAY)
    below = {}
    for name, times in (("bogus", past), ("forged", whole)):
        zone = dns.zone.from_text(BELOW, f"{name}.example.", relativize=False)
        below[name] = _signed(zone, *times)
        text = zone.to_text(relativize=False)
        if name == "forged":
            text = text.replace("10.0.0.3", "10.0.0.66")
        (folder / f"{name}.example..zone").write_text(text)
    (folder / "plain.example..zone").write_text(_plain())
    example = dns.zone.from_text(EXAMPLE, "example.", relativize=False)
    for name, ds in below.items():
        with example.writer() as change:
            change.add(dns.name.from_text(f"{name}.example."), dns.rdataset.from_rdata(300, ds))
    anchor = _signed(example, *whole)
    (folder / "example..zone").write_text(example.to_text(relativize=False))
    return f"example. DS {anchor.to_text()}"


def _plain() -> str:
    return dns.zone.from_text(BELOW, "plain.example.", relativize=False).to_text(relativize=False)


def _signed(zone: dns.zone.Zone, begins: datetime, ends: datetime) -> dns.rdata.Rdata:
    """Sign a zone by a new key, and return the DS record of that."""
    secret = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(secret.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
    with zone.writer() as change:
        dns.dnssec.sign_zone(
            zone, change, keys=[(secret, key)], inception=begins, expiration=ends, dnskey_ttl=300, add_dnskey=True
        )
    return dns.dnssec.make_ds(zone.origin, key, DSDigest.SHA256)
