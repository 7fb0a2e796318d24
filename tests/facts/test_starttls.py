"""TLS that begins within another protocol, at real servers: Postfix, Dovecot, vsftpd, slapd, PostgreSQL, MariaDB.

Which versions they speak is held against `openssl s_client`.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

from tests.facts.tls_both_ways import digest, look, offers
from tests.worlds import tls_servers


def speaks_old(scheme: str, port: int) -> bool:
    """Whether openssl gets TLS 1.1, as weak as it can."""
    words = ["openssl", "s_client", "-starttls", scheme, "-connect", f"127.0.0.1:{port}", "-tls1_1"]
    words += ["-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "Protocol  : TLSv1.1" in done.stdout


def test_tls_begins_within_other_protocols(made):
    with ExitStack() as stack:
        have = stack.enter_context
        imap, pop3 = have(tls_servers.dovecot(made))
        smtp, bare_smtp = have(tls_servers.postfix(made))
        places = {
            "imap": imap, "pop3": pop3, "smtp": smtp, "ftp": have(tls_servers.vsftpd(made)),
            "ldap": have(tls_servers.slapd(made, True)), "postgres": have(tls_servers.postgresql(made)),
            "mysql": have(tls_servers.mariadb(made)),
        }  # fmt: skip
        for scheme, port in places.items():
            seen, new = look(made, f"{scheme}://127.0.0.1:{port}", "certificate", "protocol TLS 1.2")
            assert (seen.untrusted, seen.chain[0].sha256, new.offered) == ("", digest(made), True), scheme
        old = {name: offers(made, f"{name}://127.0.0.1:{port}", "protocol TLS 1.1") for name, port in places.items()}
        assert old == {name: [speaks_old(name, port)] for name, port in places.items()}
        # Postfix lowers OpenSSL's level of security itself, and Debian's slapd has GnuTLS.
        assert [name for name, (each,) in old.items() if each] == ["smtp", "ldap"]
        bare = {"smtp": bare_smtp, "ldap": have(tls_servers.slapd(made, False))}
        for scheme, port in bare.items():
            for seen in look(made, f"{scheme}://127.0.0.1:{port}", "certificate", "protocol TLS 1.0"):
                assert "does not let TLS begin" in seen.refused, scheme
