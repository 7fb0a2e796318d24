"""Addresses of servers of files as sentences write them, with who logs in: FTP and SFTP."""

from __future__ import annotations

from infratest.errors import UserError
from infratest.facts._converses import ConversedAddress
from infratest.facts._service_address import ServiceAddress, service_address
from infratest.facts.base import absolute

#: Schemes and their ports: RFC 959, IANA's registry of what begins with TLS, and SSH's.
PORTS = {"ftp": 21, "ftps": 990, "sftp": 22}
EXAMPLE = "ftp://files.example or sftp://monitor:{param.files_password}@files.example/pub/data.tar"


class SftpAddress(ServiceAddress):
    """A server with who logs in, by a secret or by a key in a file of the controller: `?key=/etc/keys/monitor`."""

    def __post_init__(self) -> None:
        settings = self.settings
        if not set(settings) <= {"key", "known-hosts"}:
            words = "expected nothing behind it, or ?key=/FILE&known-hosts=/FILE"
            raise UserError(f'"{self.shown}?{self.options}": {words}')
        for path in settings.values():
            absolute(path)
        if not self.host or not self.user or bool(self.password) == ("key" in settings):
            words = "by a secret or by a key: sftp://NAME:{param.NAME}@HOST or sftp://NAME@HOST?key=/FILE"
            raise UserError(f'"{self.shown}": SFTP needs who logs in, {words}')

    @property
    def settings(self) -> dict[str, str]:
        rows = [row.partition("=") for row in self.options.split("&") if row]
        return {name: value for name, _, value in rows}


def file_address(url: str) -> ConversedAddress | SftpAddress:
    """Return an address taken apart; its name is the path of a file. Raises UserError."""
    one = service_address(url, "file server", {each: each for each in PORTS}, PORTS, EXAMPLE, deep=True)
    return (SftpAddress if one.kind == "sftp" else ConversedAddress)(*one.values())
