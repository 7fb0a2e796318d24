"""Whose a host is: the shell that facts about packages begin with.

The manager whose database is filled is asked, for tools of another family may be installed on any system.
Where both dpkg and rpm have a database, os-release says whose the host is.
"""

from __future__ import annotations

from infratest.facts.base import NO_TOOL

# A database without any package is nobody's, and rpm is told where to look: an account's own macros may name another
# database than the host's.
#: Shell that sets `manager` to whose this host is, and prints it; with rpm, `rpm` is where its database is. It gives up
#: where that is not known.
MANAGER = r"""
rpm= dpkg= manager=
for place in /usr/lib/sysimage/rpm /var/lib/rpm; do
  [ -s "$place/rpmdb.sqlite" ] || [ -s "$place/Packages.db" ] || [ -s "$place/Packages" ] || continue
  [ -n "$rpm" ] && ! [ "$rpm" -ef "$place" ] && rpm="$rpm and $place" || rpm=$place
done
[ -s /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null 2>&1 && dpkg=yes
if [ -n "$dpkg" ] && [ -n "$rpm" ]; then
  like=
  while IFS='=' read -r key value; do
    case $key in ID | ID_LIKE) like="$like $value" ;; esac
  done 2>/dev/null </etc/os-release
  case $like in
    *debian* | *ubuntu*) rpm= ;;
    *fedora* | *rhel* | *centos* | *suse* | *mageia* | *amzn* | *azurelinux*) dpkg= ;;
    *)
      echo "dpkg and rpm ($rpm) both have a database here, and /etc/os-release is of neither's family:$like" >&2
      exit NO_TOOL
      ;;
  esac
fi
if [ -n "$dpkg" ]; then
  manager=dpkg
elif [ -s /lib/apk/db/installed ] || [ -s /usr/lib/apk/db/installed ]; then
  manager=apk
elif [ -d /var/lib/pacman/local ] && command -v pacman >/dev/null 2>&1; then
  manager=pacman
elif [ -n "$rpm" ] && command -v rpm >/dev/null 2>&1; then
  case $rpm in
    *' and '*)
      echo "rpm has a database in $rpm: which one is this host's is not known" >&2
      exit NO_TOOL
      ;;
  esac
  manager=rpm
else
  echo "no package manager with a database that is known here (dpkg, rpm, apk, pacman)" >&2
  exit NO_TOOL
fi
echo "$manager"
""".replace("NO_TOOL", str(NO_TOOL))
