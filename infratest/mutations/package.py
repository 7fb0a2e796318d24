"""Faults of packages of dpkg: really removed, or another version really installed; its files and record back after it.

Its own scripts are not run, so that nothing else happens on the host; what runs goes on.
"""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the package. All that dpkg knows of it and all its files, kept; then its scripts are put away.
KEPT = """command -v dpkg >/dev/null || { echo "only packages of dpkg are changed" >&2; exit 1; }
case $(dpkg-query -W -f '${Essential} ${Priority}' -- "$2") in
yes* | *required) echo "$2 is essential: the host would not outlive it" >&2; exit 1 ;;
esac
mkdir -m 0700 -- "$1"
dpkg-query -L -- "$2" | while read -r path; do
  case $path in /.) ;; /*) [ ! -e "$path" ] && [ ! -L "$path" ] || printf '%s\\n' "$path" ;; esac
done >"$1/list"
tar -cpPf "$1/files.tar" --no-recursion -T "$1/list"
cp -p /var/lib/dpkg/status "$1/status"
mkdir -- "$1/info"
find /var/lib/dpkg/info -maxdepth 1 \\( -name "$2.*" -o -name "$2:*" \\) -exec cp -p -- {} "$1/info" \\;
: >"$1/whole"
find /var/lib/dpkg/info -maxdepth 1 \\( -name "$2.p*" -o -name "$2:*.p*" \\) -delete
"""
BACK = """if [ -e "$1/whole" ]; then
  tar -xpPf "$1/files.tar"
  find /var/lib/dpkg/info -maxdepth 1 \\( -name "$2.*" -o -name "$2:*" \\) -delete
  cp -p -- "$1"/info/* /var/lib/dpkg/info/
  cp -p -- "$1/status" /var/lib/dpkg/status.infratest
  mv -- /var/lib/dpkg/status.infratest /var/lib/dpkg/status
fi
rm -rf -- "$1\""""
REMOVED = 'dpkg --force-depends --no-triggers --remove -- "$2"'
#: $2: the package, $3: a version. A package of that name with no file in it.
BUILT = """mkdir -p -- "$1/made/DEBIAN"
chmod 0755 "$1/made" "$1/made/DEBIAN"
printf '%s: %s\\n' Package "$2" Version "$3" Architecture "$(dpkg --print-architecture)" \\
  Maintainer 'infratest <root@localhost>' Description 'a fault' >"$1/made/DEBIAN/control"
dpkg-deb -b "$1/made" "$1/made.deb" >/dev/null
dpkg --force-all --no-triggers -i "$1/made.deb\""""
ABSENT = """command -v dpkg-deb >/dev/null || { echo "only packages of dpkg are changed" >&2; exit 1; }
case $(dpkg-query -W -f '${db:Status-Status}' -- "$2" 2>/dev/null) in
'' | not-installed) ;;
*) echo "dpkg knows $2 still: it would be lost" >&2; exit 1 ;;
esac
mkdir -m 0755 -- "$1"
"""
PURGED = '[ ! -d "$1" ] || { dpkg --purge -- "$2"; rm -rf -- "$1"; }'

#: Older than each version (deb-version(7): a tilde is before all), and newer, whether its epoch counts or not.
OLDER, NEWER = "0~infratest", "9999:9999"


def removed(name: str) -> Act:
    """Return what removes a package."""
    return ScriptAct(f"the package {name} is removed", f"{KEPT}{REMOVED}", BACK, (name,))


def added(name: str) -> Act:
    """Return what installs a package of a name that has none."""
    return ScriptAct(f"a package {name} is installed", f"{ABSENT}{BUILT}", PURGED, (name, "1"))


def in_version(name: str, version: str) -> Act:
    """Return what installs another version of a package."""
    words = f"the version {version} of the package {name} is installed"
    return ScriptAct(words, f"{KEPT}{BUILT}", BACK, (name, version))


def presence(claim: Claim) -> Act | str:
    """Remove it, or install one of that name."""
    return added(claim.check.name) if claim.negated else removed(claim.check.name)


def same(claim: Claim) -> Act | str:
    """Another version, or just that one."""
    return in_version(claim.check.name, claim.check.version if claim.negated else OLDER)


def least(claim: Claim) -> Act | str:
    """An older version."""
    return in_version(claim.check.name, NEWER if claim.negated else OLDER)


def most(claim: Claim) -> Act | str:
    """A newer version."""
    return in_version(claim.check.name, OLDER if claim.negated else NEWER)


def another(claim: Claim) -> Act | str:
    """A version unlike all others."""
    return "which version fits is not known" if claim.negated else in_version(claim.check.name, OLDER)


def none_matching(claim: Claim) -> Act | str:
    """Install a package that the pattern fits."""
    pattern = claim.check.pattern
    if claim.negated or any(character in pattern for character in "[]!\\"):
        return "which packages fit is not known"
    return added(pattern.replace("*", "x").replace("?", "x"))


FAULTS: dict[str, Fault] = {
    "PackageInstalled": presence,
    "PackageVersion": same,
    "PackageAtLeast": least,
    "PackageMore": least,
    "PackageAtMost": most,
    "PackageLess": most,
    "PackageBetween": another,
    "PackageMatches": another,
    "PackageRelease": another,
    "NoneMatching": none_matching,
}
