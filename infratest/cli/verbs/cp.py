"""`infratest cp`: files and folders to and from a host, as a tar stream through the system's own program."""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO

import click

from infratest.cleaning import clean, decoded
from infratest.cli._client import program, running_host
from infratest.cli._lifecycle import used
from infratest.cli._verb import ON_HOSTS, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, TransportError, UserError
from infratest.hosts import Host
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.tarfiles import tarfile
from infratest.transports.base import SUDO

#: Unpacks what comes in: into `$1` where that is a folder, else beside it and then under its name. `$2` is the name at
#: the top of the archive, `$3` what the target must be (`folder` where several things come, or where it ends in /).
UNPACK = """umask 022; cd || exit 1
if [ -d "$1" ]; then exec tar -xf - -C "$1"; fi
if [ "$3" = folder ]; then echo "there is no folder $1" >&2; exit 1; fi
d=$(mktemp -d -- "$(dirname -- "$1")/.infratest-cp.XXXXXX") || exit 1
trap 'rm -rf -- "$d"' EXIT
trap 'exit 1' HUP INT TERM PIPE
tar -xf - -C "$d" && mv -- "$d/$2" "$1"
"""
#: Packs `$1` with its own name at the top; a link named by itself is followed, as scp does.
PACK = """cd || exit 1; p=${1%/}; [ -n "$p" ] || { echo "the whole of / is not copied" >&2; exit 1; }
[ -e "$p" ] || { echo "there is no $1" >&2; exit 1; }
if [ -h "$p" ]; then p=$(readlink -f -- "$p") || exit 1; fi
exec tar -cf - -C "$(dirname -- "$p")" -- "./$(basename -- "$p")"
"""

#: What is no tar archive, wherever in a stream it stands.
NO_ARCHIVE = b"\xff" * 2 * tarfile.BLOCKSIZE
#: What is no file or folder that could be put below the target.
LEFT_OUT = (tarfile.AbsoluteLinkError, tarfile.LinkOutsideDestinationError, tarfile.SpecialFileError)
#: How many of these are named.
SHOWN = 5
#: Bytes of what the program writes to standard error that are read.
STDERR = 65536


VERB = Verb(ON_HOSTS, 3)


@click.command("cp", cls=VerbCommand, short_help="Copy files and folders to or from a host.")
@click.option("--sudo", is_flag=True, help="Read or write there as root, by sudo without a password.")
@click.argument("places", nargs=-1, required=True, metavar="SOURCE... TARGET")
@with_session(made_up=UNASKED)
def command(session: Session, sudo: bool, places: tuple[str, ...]) -> int:
    """Copy SOURCE to TARGET; on one side stand paths here, on the other one HOST:PATH. Folders are copied whole.

    A target that is a folder gets the copy inside it, any other is made or replaced by it: a file there at once, when
    all of it has come. Modes and times stay as they are; owners become the login's, or root's with --sudo. A path
    without / in front begins at the login's home. A name with a : in it that is here is written ./name. Every host
    with `tar` and `sh` can be copied to and from; the program that `infratest ssh` uses carries it.

    What comes from a host may not lead out of the folder that it is put into: links that do, as those of /etc to
    /usr/share, are left out and told, and so are pipes and devices. The rest is copied, and the exit status is 1.

    \b
    infratest cp site.conf web-1:/etc/nginx/conf.d/ --sudo
    infratest cp -- build/site web-1:/srv/
    infratest cp web-1:/var/log/nginx ./logs

    Exit status: 0 copied, 1 not, or not all of it, 2 wrong use; 130 after Ctrl-C.
    """
    if len(places) < 2:
        raise UserError("cp: a TARGET is missing; `infratest cp FILE HOST:PATH`, or `infratest cp HOST:PATH FILE`")
    *sources, target = places
    there = [place for place in places if _remote(place)]
    if len(there) != 1 or (there == sources[:1] and len(sources) > 1):
        raise UserError(f"cp {' '.join(places)}: HOST:PATH stands once, as the target or as the only source")
    if there[0] not in (sources[0], target):
        raise UserError(f"cp {' '.join(places)}: HOST:PATH is the target or the only source; {there[0]!r} is neither")
    name, _, path = there[0].partition(":")
    way = Way(running_host(session, name), sudo, session.deadline)
    used(session)
    if there == [target]:
        _upload(way, [Path(each) for each in sources], path or ".")
        return 0
    return 1 if _download(way, path or ".", Path(target), target.endswith("/")) else 0


def _remote(place: str) -> bool:
    """Whether a place is HOST:PATH: as with scp, a : before any / says so."""
    return ":" in place.partition("/")[0]


class Way:
    """The program that carries a stream to or from a host.

    Args:
        sudo: read or write there as root. deadline: by which it is ended; None for no limit.
    """

    def __init__(self, host: Host, sudo: bool, deadline: Deadline | None) -> None:
        self.host = host
        self._sudo = SUDO if sudo else ()
        self._deadline = deadline

    def carry(
        self,
        script: str,
        arguments: Sequence[str],
        send: Callable[[IO[bytes]], None] | None = None,
        receive: Callable[[IO[bytes]], None] | None = None,
    ) -> None:
        """Run a script on the host with a stream into it or out of it.

        Raises:
            UserError: no program reaches this host. TransportError: it failed there, or what came cannot be unpacked
            here; the message holds its last words.
        """
        line = program(self.host, [*self._sudo, "sh", "-c", script, "sh", *arguments])
        if not line:
            raise UserError(f"{self.host.name}: transport {self.host.transport} has no program that carries files")
        with TemporaryFile() as errors:
            process = subprocess.Popen(
                line,
                stdin=subprocess.PIPE if send else subprocess.DEVNULL,
                stdout=subprocess.PIPE if receive else subprocess.DEVNULL,
                stderr=errors,
            )
            limit = Timer(self._deadline.left if self._deadline else 0, process.kill)
            if self._deadline:
                limit.start()
            try:
                trouble = _sent(process.stdin, send) if process.stdin and send else ""
                trouble += _received(process.stdout, receive) if process.stdout and receive else ""
                status = process.wait()
            finally:
                limit.cancel()
                if process.poll() is None:  # Ctrl-C, or a defect
                    process.kill()
                    process.wait()
            errors.seek(0)
            words = clean(decoded(errors.read(STDERR)).strip(), 1000) or trouble
        if status and self._deadline and self._deadline.passed:
            raise DeadlineExceeded(
                f"{self.host.name}: not copied: no end within {self._deadline.seconds:.3g} s; give it more time with "
                "--timeout"
            )
        if status or trouble:
            raise TransportError(f"{self.host.name}: not copied: {words or f'the program ended with status {status}'}")


def _upload(way: Way, sources: Sequence[Path], target: str) -> None:
    for source in sources:
        if not source.exists():
            raise UserError(f"there is no {source}")
    name = _name(sources[0])
    kind = "folder" if len(sources) > 1 or target.endswith("/") else ""

    def send(stdin: IO[bytes]) -> None:
        with tarfile.open(fileobj=stdin, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for source in sources:
                archive.add(source.resolve() if source.is_symlink() else source, _name(source), filter=_of_nobody)

    way.carry(UNPACK, (target, name, kind), send=send)
    click.echo(f"{', '.join(map(str, sources))} copied to {way.host.name}:{target}", err=True)


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member without its owner, who is somebody else there."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _name(path: Path) -> str:
    """Return the name that a path has at the top of an archive."""
    return path.name or path.resolve().name or "root"


def _download(way: Way, path: str, target: Path, folder: bool) -> list[str]:
    """Copy to here, and return what was left out: links that lead out of the folder, pipes and devices."""
    inside = target.is_dir()
    parent = target if inside else target.absolute().parent
    if not parent.is_dir() or (folder and not inside):
        raise UserError(f"there is no folder {target if folder else parent} here")
    # What it is called here: as the target says, as the path there says, or, for `.` and the like, as the folder is.
    name = posixpath.basename(path.rstrip("/")) if inside else target.name
    top = "" if name in (".", "..") else name
    left: list[str] = []

    def receive(stdout: IO[bytes]) -> None:
        with tarfile.open(fileobj=stdout, mode="r|") as archive:
            for member in archive:
                renamed = member.replace(name=_moved(member.name, top), deep=False)
                if member.islnk():
                    renamed = renamed.replace(linkname=_moved(member.linkname, top), deep=False)
                # Names and links come from the host: none of them may lead out of the folder.
                try:
                    archive.extract(renamed, parent, filter="data")
                except LEFT_OUT:
                    if renamed.islnk():
                        raise
                    left.append(f"{renamed.name} -> {renamed.linkname}" if renamed.issym() else renamed.name)

    way.carry(PACK, (path,), receive=receive)
    told = f"{way.host.name}:{path} copied to {target}"
    if left:
        some = clean(", ".join(left[:SHOWN]), 1000) + (f" and {len(left) - SHOWN} more" if len(left) > SHOWN else "")
        told += f", but not all of it: links that lead out of it, pipes and devices were left out: {some}"
    click.echo(told, err=True)
    return left


def _moved(name: str, top: str) -> str:
    """Return a name of the archive with another name at its top."""
    first, slash, rest = name.removeprefix("./").partition("/")
    return f"{top or first}{slash}{rest}"


def _sent(stdin: IO[bytes], send: Callable[[IO[bytes]], None]) -> str:
    """Send a stream, and return what went wrong here."""
    with suppress(BrokenPipeError), stdin:  # where the program has ended, its own words say why
        try:
            send(stdin)
        except BrokenPipeError:
            return ""
        except BaseException as error:
            # What was sent so far is not taken for all of it: tar fails at what is no archive.
            stdin.write(NO_ARCHIVE)
            if isinstance(error, OSError):
                return str(error)
            raise
    return ""


def _received(stdout: IO[bytes], receive: Callable[[IO[bytes]], None]) -> str:
    """Take a stream in, and return what went wrong here."""
    with stdout:
        try:
            receive(stdout)
            stdout.read()  # what tar writes behind its end
        except (tarfile.TarError, OSError) as error:
            return str(error)
    return ""
