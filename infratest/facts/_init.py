"""Which init system rules a host, and what OpenRC, SysV init and runit say of a service. For `service` and `unit-file`.

Which one rules is told by what only it makes: /run/systemd/system, /run/openrc, process 1 of runit (`runit`, or
`runsvdir` in a container), else an `init` beside the folders of System V's run levels. Sources: openrc-run(8), and
`_status` of its openrc-run.sh for the exit statuses; LSB 4.1, "Init Script Actions", for those of scripts; sv(8). A
script that knows no status ends with 1 or 2 as well: these are believed only of one that says in words what they mean.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._systemd import BOOTED
from infratest.facts.base import NO_TOOL

SYSTEMD, OPENRC, SYSV, RUNIT = "systemd", "OpenRC", "SysV init", "runit"

WORDS = "services are known on systemd, OpenRC, SysV init and runit alone, and process 1 of this host is"

#: Process 1 of runit: of a host, and of a container.
OF_RUNIT = ("runit", "runsvdir")
#: System V's run levels, on Debian and on Red Hat's distributions.
LEVELS = ("/etc/rc2.d", "/etc/rc.d/rc3.d")

#: Shell: sets `system` to the init system, or gives up.
SNIPPET = (
    r"""
init= system=
read -r init </proc/1/comm
if [ -d BOOTED ] && command -v systemctl >/dev/null 2>&1; then system=systemd
elif [ -d /run/openrc ] && command -v rc-service >/dev/null 2>&1; then system=OpenRC
else
  case $init in
  runit | runsvdir) ! command -v sv >/dev/null 2>&1 || system=runit ;;
  init) [ ! -d /etc/init.d ] || { [ ! -d /etc/rc2.d ] && [ ! -d /etc/rc.d/rc3.d ]; } || system='SysV init' ;;
  esac
fi
if [ -z "$system" ]; then
  [ -d /run/openrc ] && init="$init (OpenRC)"
  echo "WORDS ${init:-unknown}" >&2
  exit NO_TOOL
fi
""".replace("NO_TOOL", str(NO_TOOL))
    .replace("WORDS", WORDS)
    .replace("BOOTED", BOOTED)
)

#: Shell functions: `state NAME` sets `load`, `active` and `sub` in systemd's words, or `problem`; `boots NAME` sets
#: `boot` to enabled or disabled, or to nothing where there is no such service.
OTHERS = r"""
asked() { cd / && env -i PATH="$PATH" LC_ALL=C TERM=dumb "$@" 2>&1; }
is() { active=$1 sub=$2; }
folder_of() {
  folder=
  for place in /etc/service /var/service /service; do
    [ ! -d "$place/$1" ] || { folder=$place/$1; return; }
  done
}
state() {
  load=loaded active= sub= problem=
  case $system in
  runit)
    folder_of "$1"
    if [ -z "$folder" ]; then
      is inactive down
      [ -d "/etc/sv/$1" ] || load=not-found
      return
    fi
    words=$(asked sv status "$folder")
    case $words in
    run:*) is active run ;;
    down:*) is inactive down ;;
    finish:*) is deactivating finish ;;
    fail:*'runsv not running'*) is inactive 'not supervised' ;;
    *) problem="sv status: $words" ;;
    esac
    return ;;
  esac
  if [ ! -e "/etc/init.d/$1" ]; then
    load=not-found
    is inactive dead
    return
  fi
  if [ "$system" = OpenRC ]; then
    words=$(asked rc-service "$1" status)
    case $? in
    0) is active started ;;
    3) is inactive stopped ;;
    4) is deactivating stopping ;;
    8) is activating starting ;;
    16) is inactive inactive ;;
    32) is failed crashed ;;
    *) problem="rc-service $1 status: $words" ;;
    esac
    return
  fi
  words=$(asked "/etc/init.d/$1" status)
  status=$?
  case $status,$words in
  0,*) is active running ;;
  *,*[Uu]sage*) problem="its script has no status: $words" ;;
  [12],*dead* | [12],*'not running'* | [12],*[Ss]topped*) is failed 'dead, with its pid or lock file' ;;
  3,*) is inactive dead ;;
  *) problem="/etc/init.d/$1 status ended with $status: $words" ;;
  esac
}
boots() {
  boot=
  case $system in
  runit)
    folder_of "$1"
    if [ -n "$folder" ]; then
      boot=enabled
      [ ! -e "$folder/down" ] || boot=disabled
    elif [ -d "/etc/sv/$1" ]; then boot=disabled
    fi
    return ;;
  OpenRC) set -- "$1" /etc/runlevels/*/"$1" ;;
  *) set -- "$1" /etc/rc[2345S].d/S[0-9][0-9]"$1" /etc/rc.d/rc[2345S].d/S[0-9][0-9]"$1" ;;
  esac
  [ ! -e "/etc/init.d/$1" ] || boot=disabled
  shift
  for link; do [ ! -e "$link" ] || boot=enabled; done
}
"""


def is_systemd() -> bool:
    """Whether systemd rules this machine, and not another init system that is known.

    Raises:
        FactError: none of them does.
    """
    if os.path.isdir(BOOTED):
        return True
    init = process_1()
    openrc = os.path.isdir("/run/openrc")
    sysv = init == "init" and os.path.isdir("/etc/init.d") and any(os.path.isdir(level) for level in LEVELS)
    if not openrc and not sysv and init not in OF_RUNIT:
        raise FactError(f"{WORDS} {init or 'unknown'}")
    return False


def process_1() -> str:
    """Return the name of this machine's first process; nothing where it cannot be read."""
    try:
        return decoded(_machine.whole("/proc/1/comm")).strip()
    except OSError:
        return ""
