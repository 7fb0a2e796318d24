"""The fact `repository`: where the package manager takes packages from, by its own files. It has no argument.

apt: sources.list and sources.list.d, both formats (sources.list(5)); `deb` alone, no sources; what its configuration
(apt-config) says of all of them. rpm: the `.repo` files of dnf, yum and zypper (dnf.conf(5)), variables as they are
written. apk: /etc/apk/repositories. pacman: what `pacman-conf` says.
A line that is commented out is no repository.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._package_manager import MANAGER
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Where Launchpad has personal archives: `ppa:OWNER/NAME` is one of these hosts, `/OWNER/NAME/ubuntu`.
PPA_HOSTS = ("ppa.launchpadcontent.net", "ppa.launchpad.net", "private-ppa.launchpadcontent.net")


class Repository(Record):
    """One repository, or the suites of one line or stanza of apt's.

    Args:
        id: its name in a `.repo` file or in pacman.conf, else empty. urls: as they are written. checked: whether the
            signatures of what comes from it are checked. key: what it must be signed by, as it is written. file: where
            it stands.
    """

    id: str = ""
    urls: tuple[str, ...] = ()
    enabled: bool = True
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    checked: bool = True
    key: str = ""
    file: str = ""

    def in_words(self) -> str:
        of = [" ".join(self.suites) and f"suites {' '.join(self.suites)}"]
        of += [" ".join(self.components) and f"components {' '.join(self.components)}"]
        parts = [self.id or " ".join(self.urls), *filter(None, of), "" if self.enabled else "not enabled"]
        return f"{', '.join(filter(None, parts))} ({self.file})"

    def is_named(self, name: str) -> bool:
        """Whether a sentence means this one: by its name, an address, or `ppa:OWNER/NAME`."""
        if self.id == name:
            return True
        addresses = [_address(url) for url in self.urls]
        if name.startswith("ppa:"):
            path = f"/{name.removeprefix('ppa:').strip('/')}/ubuntu"
            return any(f"{scheme}://{host}{path}" in addresses for scheme in ("http", "https") for host in PPA_HOSTS)
        return _address(name) in addresses


class Repositories(tuple[Repository, ...]):
    """All repositories of a host."""

    __slots__ = ()

    def in_words(self) -> str:
        return "; ".join(one.in_words() for one in self) or "none"


def _address(url: str) -> str:
    """Return an address as it is compared: scheme and host in small letters, no slash at its end."""
    scheme, sign, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{sign}{host.lower()}{slash}{path}" if sign else url.rstrip("/")


# A file that apt or dnf does not read for its name is not read here; one that may not be read makes the rest worthless.
SNIPPET = (
    MANAGER
    + r"""
show() {
  for file in "$@"; do
    [ -e "$file" ] || continue
    case ${file##*/} in *[!A-Za-z0-9_.-]*) continue ;; esac
    echo "file $file"
    sed -e 's/^/|/' "$file" || exit 1
    echo # its last line may have no end
  done
}
case $manager in
  dpkg)
    for folder in /etc/apt/sources.list.d; do
      [ ! -e "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; } ||
        { echo "$folder: Permission denied" >&2; exit 1; }
    done
    if command -v apt-config >/dev/null 2>&1; then
      text=$(apt-config dump) || exit 1
      echo 'file apt-config'
      printf '%s\n' "$text" | grep -i -e '^APT::Get::AllowUnauthenticated ' -e '^Acquire::Allow[A-Za-z]*Repositories ' |
        sed -e 's/^/|/'
    fi
    show /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
    ;;
  rpm)
    show /etc/dnf/dnf.conf /etc/yum.conf /etc/yum.repos.d/*.repo /etc/distro.repos.d/*.repo /etc/yum/repos.d/*.repo \
      /etc/zypp/repos.d/*.repo
    ;;
  apk) show /etc/apk/repositories /etc/apk/repositories.d/*.list ;;
  pacman)
    command -v pacman-conf >/dev/null 2>&1 || { echo 'pacman-conf is not installed on this host' >&2; exit NO_TOOL; }
    echo 'file /etc/pacman.conf'
    text=$(pacman-conf) || exit 1
    printf '%s\n' "$text" | sed -e 's/^/|/'
    ;;
esac
echo end
"""
).replace("NO_TOOL", str(NO_TOOL))


class RepositoryFact(Fact):
    """Repositories of packages."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts.repository import formats

        rows = lines(self.readable(answer).out)
        readers = {"dpkg": formats.apt, "rpm": formats.ini, "apk": formats.apk, "pacman": formats.pacman}
        if len(rows) < 2 or rows[0] not in readers or rows[-1] != "end":
            raise FactError(f"the answer about repositories is not understood: {cited(answer.out, 80)}")
        files: dict[str, list[str]] = {}
        text: list[str] = []
        for row in rows[1:-1]:
            if row.startswith("file "):
                text = files.setdefault(row.removeprefix("file "), [])
            elif row.startswith("|") and files:
                text.append(row[1:].rstrip("\r"))
            elif row:
                raise FactError(f"the answer about repositories is not understood: {cited(row, 80)}")
        return dict.fromkeys(arguments, Repositories(readers[rows[0]](files)))
