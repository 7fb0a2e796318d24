"""A real OpenLDAP on free ports of the loopback, with a few entries, of which not everybody sees all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.worlds.tls_servers import Authority, free_ports, running

BASE, MONITOR, PASSWORD = "dc=example", "cn=monitor,dc=example", "s3cret/w@rd"
ANNA, GROUP = "uid=anna,ou=people,dc=example", "cn=ops,ou=groups,dc=example"
#: An entry that who does not log in may not see, and how many entries there are for who does.
HIDDEN, ALL = "ou=hidden,dc=example", 8

LDIF = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {MONITOR}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: monitor
userPassword: {PASSWORD}

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: {ANNA}
objectClass: inetOrgPerson
uid: anna
cn: Anna (ops)
sn: Ångström
mail: anna@example.org
mail: ops@example.org
jpegPhoto:: /9j/4A==
description: a*b

dn: uid=berta,ou=people,{BASE}
objectClass: inetOrgPerson
uid: berta
cn: Berta
sn: B

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: {GROUP}
objectClass: posixGroup
cn: ops
gidNumber: 100
memberUid: anna
memberUid: berta

dn: {HIDDEN}
objectClass: organizationalUnit
ou: hidden

"""


class Directory(NamedTuple):
    """Ports: with StartTLS, that begins with TLS, and whose answers are of two entries at most."""

    ldap: int
    ldaps: int
    folder: Path


@contextmanager
def directory(made: Authority, folder: Path) -> Iterator[Directory]:
    """Have the server, with its data in this folder."""
    (folder / "data").mkdir()
    # Debian's is built with GnuTLS, which sends what leads to the root from this file.
    (folder / "chain.pem").write_bytes(made.between.pem + made.root.pem)
    schemas = "".join(
        f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "nis", "inetorgperson")
    )
    conf = folder / "slapd.conf"
    conf.write_text(
        f"{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {folder}/pid\n"
        f"TLSCertificateFile {made.file('leaf.pem')}\nTLSCertificateKeyFile {made.file('leaf.key')}\n"
        f"TLSCACertificateFile {folder}/chain.pem\nsizelimit 5\n"
        f'database mdb\nsuffix "{BASE}"\nrootdn "cn=root,{BASE}"\ndirectory {folder}/data\nmaxsize 10485760\n'
        f'limits dn.exact="{MONITOR}" size=unlimited\n'
        f'access to dn.subtree="{HIDDEN}" by dn.exact="{MONITOR}" read by * none\n'
        f"access to attrs=userPassword by * auth\naccess to * by * read\n"
    )
    subprocess.run(["slapadd", "-q", "-f", conf], input=LDIF, text=True, check=True, capture_output=True)
    plain, tls = free_ports(2)
    places = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"
    with running("slapd", "-d", "0", "-f", str(conf), "-h", places, ports=(plain, tls)):
        yield Directory(plain, tls, folder)
