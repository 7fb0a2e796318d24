"""The fact `remote-file`: what a server of files says of itself and of a file, by FTP or SFTP. Arguments: its address,
with who logs in, and the question: `greeting` (of FTP), `login` (of which a refusal is an answer), `file` (the one that
the address names; by FTP as `anonymous` without a login).

FTP is asked from the controller and from hosts that have python3, without a data connection; SFTP from the controller
alone, by paramiko, for a host has nothing that would take a password. What is in a file is never read.
"""

from __future__ import annotations

from time import monotonic

from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts import _outside
from infratest.facts._converses import ConversedAddress, Converses
from infratest.facts._server_place import unanswered
from infratest.facts.remote_file.address import SftpAddress, file_address
from infratest.facts.remote_file.value import RemoteFile, remote_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Argument, Connect

GREETING, LOGIN, FILE = "greeting", "login", "file"


class RemoteFileFact(Converses):
    """Files on servers, and these."""

    def program(self) -> ModuleType:
        from infratest.facts.remote_file import ftp

        return ftp

    def address(self, argument: Argument) -> ConversedAddress:
        address = file_address(argument[0])
        if isinstance(address, SftpAddress):
            raise UserError(f"{address.shown}: SFTP is looked at from the controller alone: leave `from ...` out")
        return address

    def question(self, argument: Argument) -> str:
        address = file_address(argument[0])
        if argument[1] == FILE:
            return f"file {remote_path(address.name, address.shown)}"
        questions = (LOGIN,) if isinstance(address, SftpAddress) else (GREETING, LOGIN)
        if argument[1] not in questions or address.name:
            raise UserError(f"{argument[1]!r} is nothing that {address.shown} is asked")
        return argument[1]

    def refused(self, words: str) -> RemoteFile:
        return RemoteFile(refused=words)

    def value(self, argument: Argument, seen: Mapping[str, Any]) -> RemoteFile | FactError:
        login, greeting, took = seen["login"], str(seen["greeting"]), float(seen["seconds"])
        if login not in ("accepted", "refused", ""):
            raise ValueError(login)
        if login == "refused" and argument[1] != LOGIN:
            return FactError(f"could not log in to {self.address(argument).shown}: {seen['refusal']}")
        value = RemoteFile(greeting=greeting, seconds=took, login=login, refusal=str(seen.get("refusal", "")))
        if argument[1] != FILE:
            return value
        if not seen["there"]:
            return value.changed(folder=bool(seen["folder"]))
        age = float(seen["now"]) - float(seen["changed"])
        return value.changed(exists=True, size=int(seen["size"]), age=age)

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Any:
        address = file_address(argument[0])
        if isinstance(address, SftpAddress):
            return self._by_sftp(argument, address, deadline, connect)
        return super()._look(argument, deadline, connect)

    def _by_sftp(
        self, argument: Argument, address: SftpAddress, deadline: Deadline, connect: Connect
    ) -> RemoteFile | FactError:
        host, port = connect(address.host, address.port)
        with _outside.Turn(host, port, deadline.at_most(self.patience).left) as turn:
            return self._in_turn(argument, address, (host, port), deadline, turn)

    def _in_turn(
        self, argument: Argument, address: SftpAddress, place: tuple[str, int], deadline: Deadline, turn: _outside.Turn
    ) -> RemoteFile | FactError:
        from infratest.facts.remote_file import sftp

        path, began = self.question(argument).removeprefix(argument[1]).lstrip(" "), monotonic()
        had = deadline.at_most(turn.seconds).left
        one, outcome, words = _outside.connection(*place, had)
        if one is None:
            outcome, words = turn.outcome(outcome, words)
            if outcome == _outside.SILENT and had < self.patience and deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: not let in before our own deadline")
            if outcome in (_outside.FAILED, _outside.UNRESOLVED):
                return FactError(f"{address.shown} could not be looked at: {words}")
            return RemoteFile(refused=unanswered(outcome, words, address.shown))
        try:
            seen = sftp.look(one, address, path, deadline.at_most(turn.seconds))
        except sftp.Unspoken as error:
            if deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline") from None
            outcome, words = turn.outcome(_outside.MUTE, f"it lets us in and {error}")
            if outcome == _outside.FAILED:
                return FactError(f"{address.shown} could not be looked at: {words}")
            return RemoteFile(refused=words)
        except FactError as error:
            if deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline") from None
            return FactError(f"{address.shown} could not be looked at: {error}")
        if seen.login == "refused" and argument[1] != LOGIN:
            return FactError(f"could not log in to {address.shown}: {seen.refusal}")
        return seen.changed(seconds=monotonic() - began)
