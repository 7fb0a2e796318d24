"""The fact `upgrade`: which installed packages have a later version in the package manager's own index, as it is here.

Argument: a package's name, or none for all of them. Nothing is fetched, changed or locked; the index may be old, and
its age is told. dpkg: `apt-cache policy` of all that is installed, with apt's own cache left alone (0.5 s for 700
packages). rpm: `dnf -C repoquery` (about a second each), which writes a line of its log where it may. apk: `apk
--no-network version`. pacman: `pacman -Qu`. A host without an index is unknown, and so is whether an update is one of
security where no source of these is in the index: apt's suites that end in `-security`, dnf's updateinfo. Of apt,
what lists hold of a source that is no longer configured counts for nothing, and a source without one is told.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._package_manager import MANAGER
from infratest.facts._shell import lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach
from infratest.record import Record
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Of more packages than this, the first are named.
NAMED = 5


class Upgrades(Record):
    """What can be upgraded, by the index that is here; where one package is asked about, at most that one.

    Args:
        known: whether the index has the package that is asked about at all. security: whether the index tells which
            updates are of security. age: seconds since the index was last changed, None where that is not known.
        packages: name, the later version, and whether that or one before it is an update of security.
        missing: of apt, those configured sources of which no index is here, as its files would begin.
    """

    manager: str
    known: bool = True
    security: bool = True
    age: int | None = None
    packages: tuple[tuple[str, str, bool], ...] = ()
    missing: tuple[str, ...] = ()

    def in_words(self) -> str:
        return self.listed(self.packages) + self.source()

    def source(self) -> str:
        """Return where it is known from, as the end of a sentence."""
        old = "of an unknown age" if self.age is None else f"{human(self.age, 's')} old"
        return f", by the index of {self.manager}, {old}"

    @staticmethod
    def listed(packages: Sequence[tuple[str, str, bool]]) -> str:
        """Return packages in words."""
        more = f" and {len(packages) - NAMED} more" if len(packages) > NAMED else ""
        return ", ".join(f"{name} to {version}" for name, version, _ in packages[:NAMED]) + more or "none"


# A later version that is in an index counts although apt's preferences keep it away (held, so to say): by a priority
# below 0, or by that of another version, above 1000. What its own suite does not offer by itself, as backports (1 to
# 499), does not, but for security.
#
# awk is on each host of dpkg's: it is of the essential packages. Of those that are neither asked about nor have another
# candidate than what is installed nothing is carried. `i` stands behind a version that an index has, `s` behind one of
# a suite of security: Debian's and Ubuntu's end in `-security`, and Debian's before 11 in `/updates`.
POLICY = r"""
function end_of_package() {
  if (pinned != "" && installed == candidate) candidate = pinned
  if (name != "" && (installed != candidate || index(asked, " " name " ") || index(asked, " " name ":" own " ")))
    print "package\t" name "\t" installed "\t" candidate versions
  name = ""
}
/^[^ ]+:$/ {
  end_of_package()
  name = substr($0, 1, length($0) - 1)
  versions = above = pinned = ""
  at = 0
  count++
}
/^  Installed: / { installed = $2 }
/^  Candidate: / { candidate = $2 }
/^ \*\*\* [^ ]/ { versions = versions "\t" $2 "|"; at = 1 }
/^     [^ ]/ {
  versions = versions "\t" $1 "|"
  if (!at) above = $1
  if (!at && pinned == "" && ($2 >= 500 || $2 < 0)) pinned = $1
}
/^      +-?[0-9]+ / && $2 != "/var/lib/dpkg/status" {
  secure = $3 ~ /-security(\/|$)|\/updates(\/|$)/
  versions = versions "i" (secure ? "s" : "")
  if (secure && !at && pinned == "") pinned = above
}
/^status [0-9]+$/ { end_of_package(); print "end", $2, count + 0 }
"""

# apt-get prints what it would fetch, and fetches and locks nothing. What is here of a source has names that begin as
# that of its Release file; `security` is `yes` where each configured suite of security has an index, and there is one.
SOURCES = r"""
uris=$(apt-get -q --print-uris update 2>&1) || { printf '%s\n' "$uris" | tail -n 1 >&2; exit 1; }
names=$(printf '%s\n' "$uris" | sed -n "s/^'[^']*' \([^ ]*\)_InRelease .*/\1/p" | sort -u)
security=no missing=
for name in ${names:-(none)}; do
  indexed=no
  there "$lists/$name"_*Packages* "$lists/$name"_*Sources* && indexed=yes
  [ $indexed = yes ] || missing="$missing $name"
  case $indexed,$security,${name}_ in
    no,*-security_ | no,*_dists_*_updates_) security=without ;;
    yes,no,*-security_ | yes,no,*_dists_*_updates_) security=yes ;;
  esac
done
"""

SNIPPET = (
    (
        MANAGER
        + r"""
there() { for place in "$@"; do [ -e "$place" ] && return 0; done; return 1; }
none() { echo "$1 has no index on this host: run $2" >&2; exit NO_TOOL; }
told() {
  echo "security $2"
  echo "age $(date +%s) $(stat -c %Y -- $1 2>/dev/null | sort -n | tail -n 1)"
}
case $manager in
  dpkg)
    lists=/var/lib/apt/lists
    command -v apt-cache >/dev/null 2>&1 || { echo 'apt-cache is not installed on this host' >&2; exit NO_TOOL; }
    there $lists/*_Packages $lists/*_Packages.* || none apt 'apt-get update'
    SOURCES
    told "$lists /var/lib/apt/periodic/update-success-stamp" $security
    own=$(dpkg --print-architecture)
    echo "architecture $own"
    for name in $missing; do echo "missing $name"; done
    {
      dpkg-query -W -f '${db:Status-Abbrev}|${binary:Package}\n' | sed -n 's/^.i.|//p' |
        xargs apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy
      echo "status $?"
    } | awk -v "asked= $* " -v "own=$own" 'POLICY'
    ;;
  rpm)
    command -v dnf >/dev/null 2>&1 || { echo 'dnf is not installed here, and rpm has no index' >&2; exit NO_TOOL; }
    count=$# asked=$* security=no
    set -- /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml
    there "$@" || none dnf 'dnf makecache'
    grep -q 'type="updateinfo"' "$@" 2>/dev/null && security=yes
    told "$*" $security
    query() { dnf -C -q repoquery --qf "$1"'|%{name}|%{epoch}:%{version}-%{release}\n' "$2" "$3" $4 || exit 1; }
    upgrades=$(query upgrade --upgrades --latest-limit=1) || exit 1
    [ -z "$upgrades" ] || printf '%s\n' "$upgrades"
    [ -z "$upgrades" ] || query security --upgrades --security
    [ "$count" -eq 0 ] || query known --available --latest-limit=1 "$asked"
    echo end
    ;;
  apk)
    there /var/cache/apk/APKINDEX.* /etc/apk/cache/APKINDEX.* || none apk 'apk update'
    told '/var/cache/apk/APKINDEX.* /etc/apk/cache/APKINDEX.*' no
    apk --no-network version -l '<=>?' || exit 1
    echo end
    ;;
  pacman)
    there /var/lib/pacman/sync/*.db || none pacman 'pacman -Sy'
    told '/var/lib/pacman/sync/*.db' no
    upgrades=$(pacman -Qu 2>&1)
    [ $? -le 1 ] || { printf '%s\n' "$upgrades" >&2; exit 1; }
    [ -z "$upgrades" ] || printf '%s\n' "$upgrades"
    foreign=$(pacman -Qm 2>&1)
    [ $? -le 1 ] || { printf '%s\n' "$foreign" >&2; exit 1; }
    echo foreign
    [ -z "$foreign" ] || printf '%s\n' "$foreign"
    echo end
    ;;
esac
"""
    )
    .replace("NO_TOOL", str(NO_TOOL))
    .replace("POLICY", POLICY)
    .replace("SOURCES", SOURCES)
)


class _Index(Record):
    """What was read of an index: what can be upgraded, by name, and which packages it knows.

    Args:
        absent: those that it does not know, None where `present` are all that it was asked about and knows.
        own: the architecture that dpkg leaves out of names. missing: sources without an index.
    """

    upgrades: dict[str, tuple[str, str, bool]]
    present: frozenset[str] = frozenset()
    absent: frozenset[str] | None = None
    own: str = ""
    missing: tuple[str, ...] = ()

    def knows(self, name: str) -> bool:
        return name in self.upgrades or (name in self.present if self.absent is None else name not in self.absent)


class UpgradeFact(LooksForEach):
    """Packages that have a later version."""

    def snippet(self) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        readers = {"dpkg": _dpkg, "rpm": _dnf, "apk": _apk, "pacman": _pacman}
        heads = [row.split(" ") for row in rows[1:3]]
        known = len(rows) > 3 and rows[0] in readers and [head[0] for head in heads] == ["security", "age"]
        if not known or not rows[-1].startswith("end"):
            raise FactError(f"the answer about upgrades is not understood: {cited(answer.out, 80)}")
        index = readers[rows[0]](rows[3:])
        now, then, *_ = [*heads[1][1:], ""]
        head = Upgrades(
            manager=rows[0],
            security=heads[0][1] == "yes",
            age=max(0, number(now, "a time") - number(then, "the time of the index")) if then else None,
            missing=index.missing,
        )
        return {argument: _answered(head, index, argument) for argument in arguments}


def _answered(head: Upgrades, index: _Index, argument: Argument) -> Upgrades:
    if not argument:
        return head.changed(packages=tuple(sorted(index.upgrades.values())))
    name = argument[0].removesuffix(f":{index.own}")
    one = index.upgrades.get(name)
    return head.changed(known=index.knows(name), packages=(one,) if one else ())


def _dpkg(rows: list[str]) -> _Index:
    from infratest.facts.package.versions import order

    status, _, count = rows[-1].removeprefix("end ").partition(" ")
    if status != "0" or number(count, "how many packages apt knows") == 0:
        raise FactError(f"apt-cache could not look: it ended with {status} after {count or 'no'} packages")
    upgrades: dict[str, tuple[str, str, bool]] = {}
    present: set[str] = set()
    missing = tuple([row.removeprefix("missing ") for row in rows[1:-1] if row.startswith("missing ")])
    for row in rows[1 + len(missing) : -1]:
        if not row.startswith("package\t") or row.count("\t") < 3:
            raise FactError(f"the answer about upgrades is not understood: {cited(row, 80)}")
        _, name, installed, candidate, *versions = row.split("\t")
        flags = dict(version.rpartition("|")[::2] for version in versions)
        if any(flags.values()):
            present.add(name)
        if candidate == "(none)" or order(installed, candidate, "dpkg") >= 0:
            continue
        between = [each for each in flags if order(installed, each, "dpkg") < 0 <= order(candidate, each, "dpkg")]
        upgrades[name] = (name, candidate, any("s" in flags[each] for each in between))
    return _Index(upgrades, frozenset(present), own=rows[0].removeprefix("architecture "), missing=missing)


def _dnf(rows: list[str]) -> _Index:
    found: dict[str, dict[str, str]] = {"upgrade": {}, "security": {}, "known": {}}
    for row in rows[:-1]:
        kind, bar, rest = row.partition("|")
        if not row:  # of dnf 4, which ends each line by itself
            continue
        if not bar or kind not in found or "|" not in rest:
            raise FactError(f"dnf could not look: {beginning(row, 200)}")
        name, _, version = rest.partition("|")
        found[kind][name] = version.removeprefix("0:")
    upgrades = {name: (name, version, name in found["security"]) for name, version in found["upgrade"].items()}
    return _Index(upgrades, frozenset(found["known"]))


def _apk(rows: list[str]) -> _Index:
    """Read `NAME-VERSION  SIGN VERSION`; the sign is `?` where no index knows the package."""
    upgrades: dict[str, tuple[str, str, bool]] = {}
    absent: set[str] = set()
    for row in rows[:-1]:
        fields = row.split()
        if fields[:1] == ["Installed:"]:
            continue
        name = fields[0].rsplit("-", 2)[0] if fields else ""
        if len(fields) < 2 or fields[1] not in ("<", ">", "=", "?"):
            raise FactError(f"apk could not look: {beginning(row, 200)}")
        if fields[1] == "?":
            absent.add(name)
        elif fields[1] == "<" and len(fields) > 2:
            upgrades[name] = (name, fields[2], False)
    return _Index(upgrades, absent=frozenset(absent))


def _pacman(rows: list[str]) -> _Index:
    """Read `NAME VERSION -> VERSION`, then the packages that no index knows."""
    if "foreign" not in rows:
        raise FactError(f"pacman could not look: {beginning(rows[0], 200)}")
    middle = rows.index("foreign")
    upgrades: dict[str, tuple[str, str, bool]] = {}
    for row in rows[:middle]:
        fields = row.removesuffix(" [ignored]").split(" ")
        if len(fields) != 4 or fields[2] != "->":
            raise FactError(f"pacman could not look: {beginning(row, 200)}")
        upgrades[fields[0]] = (fields[0], fields[3], False)
    foreign = rows[middle + 1 : -1]
    if strange := [row for row in foreign if row.count(" ") != 1]:
        raise FactError(f"pacman could not look: {beginning(strange[0], 200)}")
    return _Index(upgrades, absent=frozenset(row.partition(" ")[0] for row in foreign))
