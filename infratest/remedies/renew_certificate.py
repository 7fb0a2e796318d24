"""`renew-certificate: shop.example`: a certificate renewed by certbot, or a command, and seen to be a later one."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from infratest.cleaning import clean, decoded
from infratest.errors import HealError, InfratestError, UserError
from infratest.facts._systemd import unit_name
from infratest.facts._x509 import Certificate, certificates, date
from infratest.remedies._on_host import OnHost, There

#: Where certbot keeps what is in use (its documentation, "Where are my certificates?").
LIVE = "/etc/letsencrypt/live"
NAME = r"^[A-Za-z0-9_*][A-Za-z0-9_.*-]*$"
PATH = r"^/[^\x00-\x1f\x7f]*[^/\x00-\x1f\x7f]$"
#: $1: the file. A private key beside the certificate stays on the host.
READ = """[ -e "$1" ] || exit 44
exec sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' "$1\""""
ABSENT = 44
DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which certificate, and how it is renewed."""

    name: str = field(
        default="",
        metadata={
            "description": "the name that certbot knows it by (`certbot certificates`)",
            "title": "the name that certbot knows it by",
            "example": "shop.example",
            "pattern": f"^$|{NAME}",
            "short": True,
        },
    )
    command: str = field(
        default="", metadata={"description": "a command for the host's shell in certbot's place", "shell": True}
    )
    certificate: str = field(
        default="",
        metadata={
            "description": "the file that must hold a later one afterwards (default: certbot's own)",
            "pattern": f"^$|{PATH}",
        },
    )
    due: float = field(
        default=30 * DAY,
        metadata={"description": "one that is valid for longer than this is not renewed", "dimension": "time"},
    )
    reload: str = field(default="", metadata={"description": "the unit that is reloaded, so that it takes the new one"})


class RenewCertificate(OnHost):
    """Renew a certificate that is due; its end must be later afterwards, and to come. Then reload who serves it."""

    name = "renew-certificate"
    Options = Options
    usage = (
        "expected the name that certbot knows it by, as `renew-certificate: shop.example`, or a map of command and "
        "certificate"
    )
    seconds = 300.0
    no_undo = "certbot keeps the certificate of before in its archive"

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        said: Options = self.options
        if bool(said.name) == bool(said.command.strip()):
            raise UserError(f"renew-certificate: {self.usage}, found {argument!r}")
        if said.name and not re.match(NAME, said.name):
            raise UserError(f"renew-certificate: name: {said.name!r} is no name of certbot's")
        if said.command and not said.certificate:
            raise UserError("renew-certificate: certificate: name the file that the command must renew")
        if "\0" in said.command or (said.certificate and not re.match(PATH, said.certificate)):
            raise UserError(f"renew-certificate: certificate: {said.certificate!r} is no absolute path of a file")
        if said.reload:
            try:
                unit_name(said.reload)
            except UserError as error:
                raise UserError(f"renew-certificate: reload: {error}") from error
        self._file = said.certificate or f"{LIVE}/{said.name}/cert.pem"

    def describe(self) -> str:
        return f"renew-certificate {clean(self.options.name or self._file, 80)}"

    def act(self, there: There) -> str:
        said: Options = self.options
        if find_spec("cryptography") is None:
            raise HealError("cryptography is not installed here: pip install 'infratest[tls]'")
        before = self._read(there)
        if before is not None and before.not_after - time.time() > said.due:
            words = f"{self._file} is valid until {date(before.not_after)}: it was not renewed"
        else:
            words = self._renewed(there, before)
        if said.reload:
            try:
                there.done(["systemctl", "reload", "--", unit_name(said.reload)])
            except HealError as error:
                raise HealError(f"{words}; systemctl reload {said.reload}: {error}") from error
            words += f"; {said.reload} was reloaded"
        return words

    def _renewed(self, there: There, before: Certificate | None) -> str:
        said: Options = self.options
        command = ["certbot", "renew", "--non-interactive", "--cert-name", said.name]
        if said.command:
            command = ["sh", "-c", said.command]
        printed = there.done(command, said.command)
        ran = there.command
        after = self._read(there)
        there.command = ran
        was = "there was none" if before is None else f"it was {date(before.not_after)}"
        if after is None or (before is not None and after.not_after <= before.not_after):
            end = "there is none" if after is None else f"valid until {date(after.not_after)}"
            raise HealError(f"{self._file} is as before, {end}, although this was run: {clean(printed, 200)}")
        if after.not_after <= time.time():
            raise HealError(f"{self._file} is another one, and is over too: valid until {date(after.not_after)}, {was}")
        return f"{self._file} is valid until {date(after.not_after)}, {was}"

    def _read(self, there: There) -> Certificate | None:
        """Return the first certificate of the file, None where there is no file, or one that holds none.

        Raises:
            HealError: it cannot be read.
        """
        answer = there.run(["sh", "-c", READ, "sh", self._file], f"cat {self._file}")
        if answer.exit == ABSENT:
            return None
        if answer.exit != 0:
            raise HealError(f"{self._file} cannot be read: {clean(decoded(answer.stderr), 200)}")
        try:
            found = certificates(answer.stdout)
        except InfratestError:
            return None
        return found[0] if found else None
