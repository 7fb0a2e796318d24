"""Certificates that were revoked or not: nginx shows them and has the CRLs, `openssl ocsp` answers for the CA."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from infratest.testing.waiting import wait_until
from tests.worlds.tls_servers import free_port, free_ports, running
from tests.worlds.x509_files import DAY, DER, Issued, issued

#: Name -> who answers for it ("good" or "revoked" of a responder or a list, why nobody can be believed, or nothing).
OCSP = {
    "good": "good", "revoked": "revoked", "ocsp-good": "good", "ocsp-revoked": "revoked", "dead": "dead",
    "half": "dead", "late": "dead", "stranger": "stranger", "forged": "forged",
    "status": "status", "hung": "hung",
}  # fmt: skip
CRL = {
    "good": "whole", "revoked": "whole", "crl-good": "whole", "crl-revoked": "whole", "half": "whole", "late": "whole",
    "past": "past", "foreign": "foreign", "shard": "shard", "own-shard": "own-shard", "missing": "missing",
    "page": "page", "empty": "empty", "removed": "removed", "hung": "whole",
}  # fmt: skip
REVOKED = ("revoked", "ocsp-revoked", "crl-revoked", "late", "hung")
SHOWN = (*dict.fromkeys((*OCSP, *CRL)), "bare")
#: All but the one whose responder lets in who asks, and says nothing.
NAMES = tuple(name for name in SHOWN if name != "hung")


@dataclass(frozen=True)
class World:
    """Where the certificates are shown, by SNI, and the CA's file; `down` is a port that nobody has."""

    port: int
    down: int
    authority: str


@contextmanager
def revocations(folder: Path) -> Iterator[World]:
    """Have the servers until the block ends. Their files may be read by everybody."""
    folder.chmod(0o755)
    names = ("tls", "lists", "good", "forged", "dead", "hung")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    root = issued("Tests root", authority=True)
    other = issued("Tests root", authority=True)
    leaves = {name: _leaf(name, root, ports) for name in SHOWN}
    (folder / "ca.pem").write_bytes(root.pem)
    _lists(folder, root, other, leaves, ports["lists"])
    _responders(folder, root, leaves)
    for name, leaf in leaves.items():
        sent = b"" if name == "crl-good" else root.pem  # of one the looker has to know who signed it
        (folder / f"{name}.pem").write_bytes(leaf.pem + sent)
        (folder / f"{name}.key").write_bytes(leaf.key_pem())
    nginx = ("nginx", "-c", str(_nginx(folder, ports)), "-e", f"{folder}/nginx.log")
    with (
        socket.create_server(("127.0.0.1", ports["hung"])),  # the kernel lets in who asks
        _ocsp(folder, ports["good"], "responder"),
        _ocsp(folder, ports["forged"], "impostor"),
        running(*nginx, ports=(ports["tls"], ports["lists"])),
    ):
        yield World(ports["tls"], free_port(), str(folder / "ca.pem"))


def _leaf(name: str, root: Issued, ports: dict[str, int]) -> Issued:
    more: list[x509.ExtensionType] = []
    if name in OCSP:
        port = ports[
            {"status": "lists"}.get(OCSP[name], OCSP[name] if OCSP[name] in ("dead", "forged", "hung") else "good")
        ]
        url = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url)
        more.append(x509.AuthorityInformationAccess([access]))
    if name in CRL:
        uri = x509.UniformResourceIdentifier(f"http://127.0.0.1:{ports['lists']}/{CRL[name]}.crl")
        more.append(x509.CRLDistributionPoints([x509.DistributionPoint([uri], None, None, None)]))
    return issued(f"{name}.example", root, names=(f"{name}.example",), more=tuple(more))


def _lists(folder: Path, root: Issued, other: Issued, leaves: dict[str, Issued], port: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"past": (now - 9 * DAY, now - 2 * DAY)}
    parts = {"shard": "another", "own-shard": "own-shard"}
    for name in ("whole", "past", "foreign", "shard", "own-shard", "removed"):
        begins, ends = times.get(name, (now - DAY, now + DAY))
        builder = x509.CertificateRevocationListBuilder(root.certificate.subject, begins, ends)
        for one in REVOKED if name != "removed" else ("removed",):
            entry = x509.RevokedCertificateBuilder(leaves[one].certificate.serial_number, now - 2 * DAY)
            reason = x509.CRLReason(x509.ReasonFlags("removeFromCRL" if name == "removed" else "keyCompromise"))
            builder = builder.add_revoked_certificate(entry.add_extension(reason, critical=False).build())
        if name in parts:
            uri = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/{parts[name]}.crl")
            part = x509.IssuingDistributionPoint([uri], None, False, False, None, False, False)
            builder = builder.add_extension(part, critical=True)
        signed = builder.sign((other if name == "foreign" else root).key, hashes.SHA256())
        (folder / f"{name}.crl").write_bytes(signed.public_bytes(DER))
    (folder / "page.crl").write_text("<html>Sign in to this network</html>")
    (folder / "empty.crl").write_bytes(b"")


def _responders(folder: Path, root: Issued, leaves: dict[str, Issued]) -> None:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    signers = {"responder": issued("responder", root, more=(usage,)), "impostor": issued("impostor", root)}
    for name, one in signers.items():
        (folder / f"{name}.pem").write_bytes(one.pem)
        (folder / f"{name}.key").write_bytes(one.key_pem())
    rows = []
    for name, leaf in leaves.items():
        if OCSP.get(name) != "stranger":
            ends, serial = f"{leaf.certificate.not_valid_after_utc:%y%m%d%H%M%SZ}", leaf.certificate.serial_number
            digits = f"{serial:X}"
            what = f"R\t{ends}\t260101000000Z,keyCompromise" if name in REVOKED else f"V\t{ends}\t"
            rows.append(f"{what}\t{digits.zfill(len(digits) + len(digits) % 2)}\tunknown\t/CN={name}\n")
    (folder / "index.txt").write_text("".join(rows))


@contextmanager
def _ocsp(folder: Path, port: int, signer: str) -> Iterator[None]:
    """Have a responder. Who connects and says nothing would keep it from others: the kernel knows when it listens."""
    files = {"-index": "index.txt", "-CA": "ca.pem", "-rsigner": f"{signer}.pem", "-rkey": f"{signer}.key"}
    words = [word for option, file in files.items() for word in (option, str(folder / file))]
    with (folder / f"{signer}.log").open("wb") as log, subprocess.Popen(
        ["openssl", "ocsp", "-port", str(port), "-nmin", "60", *words],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    ) as one:  # fmt: skip
        try:
            assert wait_until(lambda: _listening(port), 60), (folder / f"{signer}.log").read_text()
            yield
        finally:
            one.kill()


def _listening(port: int) -> bool:
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def _nginx(folder: Path, ports: dict[str, int]) -> Path:
    servers = [
        f"server {{ listen 127.0.0.1:{ports['tls']} ssl; server_name {name}.example;"
        f" ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}.key; }}\n"
        for name in SHOWN
    ]
    servers.append(f"server {{ listen 127.0.0.1:{ports['lists']}; root {folder}; }}\n")
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
        f"{''.join(servers)}}}\n"
    )
    return conf
