"""nagios4, on this machine, with the monitoring plugins: two looks confirm, and an event handler restarts nginx."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.drills.host import Host
from benchmarks.drills.ours import INTERVAL
from benchmarks.drills.peers.base import HANDLER, Watching
from benchmarks.problem import BenchError
from benchmarks.processes import ended, staying

TITLE = "nagios4, event handler"
PACKAGES = ""
PLUGINS = "/usr/lib/nagios/plugins"
MAIN = """\
log_file={folder}/nagios.log
cfg_file={folder}/objects.cfg
object_cache_file={folder}/objects.cache
status_file={folder}/status.dat
state_retention_file={folder}/retention.dat
command_file={folder}/rw/nagios.cmd
check_result_path={folder}/spool
temp_file={folder}/nagios.tmp
temp_path={folder}
lock_file={folder}/nagios.pid
query_socket={folder}/nagios.qh
use_syslog=0
nagios_user={user}
nagios_group={user}
check_external_commands=0
interval_length=1
check_result_reaper_frequency=1
status_update_interval=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
retain_state_information=0
enable_event_handlers=1
log_event_handlers=1
log_service_retries=1
enable_flap_detection=0
enable_notifications=0
check_for_updates=0
"""
OBJECTS = """\
define timeperiod {{
  timeperiod_name always
  alias always
  sunday 00:00-24:00
  monday 00:00-24:00
  tuesday 00:00-24:00
  wednesday 00:00-24:00
  thursday 00:00-24:00
  friday 00:00-24:00
  saturday 00:00-24:00
}}
define command {{
  command_name look
  command_line {folder}/look $ARG1$
}}
define command {{
  command_name heal
  command_line {folder}/heal $SERVICESTATE$ $SERVICESTATETYPE$
}}
define contact {{
  contact_name nobody
  service_notification_period always
  host_notification_period always
  service_notification_commands look
  host_notification_commands look
}}
define host {{
  host_name shop
  address {address}
  max_check_attempts 1
  check_period always
  contacts nobody
  notification_period always
}}
"""
SERVICE = """\
define service {{
  host_name shop
  service_description {what}
  check_command look!{what}
  event_handler heal
  max_check_attempts 2
  check_interval {interval:.0f}
  retry_interval {interval:.0f}
  check_period always
  contacts nobody
  notification_period always
}}
"""
LOOK = """\
#!/bin/sh
case $1 in
page) exec {plugins}/check_http -H {address} -u / -s 'the shop' -t 3 ;;
certificate) exec {plugins}/check_http -H {address} -S -C 14 -t 3 ;;
room)
    used=$({docker} exec {container} df --output=pcent /srv/shop | tail -n 1 | tr -dc 0-9)
    [ "$used" -lt 90 ] || exit 2
    ;;
esac
"""
HEAL = """\
#!/bin/sh
[ "$1 $2" = "CRITICAL HARD" ] || exit 0
exec {docker} exec {container} {handler}
"""
_ALERT = re.compile(r"^\[(\d+)\] SERVICE ALERT: shop;(\w+);(\w+);", re.MULTILINE)


@contextlib.contextmanager
def watching(host: Host, folder: Path) -> Iterator[Watching]:
    """Have a nagios at work until the block ends. Raises BenchError: it does not start."""
    program = shutil.which("nagios4", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise BenchError("nagios4 is not installed")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("spool", "rw"):
        (folder / name).mkdir(parents=True)
    docker = f"{shutil.which('docker')} --host {os.environ.get('DOCKER_HOST', 'unix:///var/run/docker.sock')}"
    named = {"folder": folder, "user": getpass.getuser(), "address": host.address, "plugins": PLUGINS,
             "docker": docker, "container": host.container, "handler": HANDLER}  # fmt: skip
    (folder / "nagios.cfg").write_text(MAIN.format(**named))
    services = "".join(SERVICE.format(what=what, interval=INTERVAL) for what in ("page", "certificate", "room"))
    (folder / "objects.cfg").write_text(OBJECTS.format(**named) + services)
    for name, text in (("look", LOOK), ("heal", HEAL)):
        (folder / name).write_text(text.format(**named))
        (folder / name).chmod(stat.S_IRWXU)
    log = folder / "nagios.log"

    def alerts() -> list[tuple[int, str, str]]:
        found = _ALERT.findall(log.read_text(errors="replace")) if log.exists() else []
        return [(int(at), what, state) for at, what, state in found]

    def told(after: float) -> float | None:
        return next((float(at) for at, _, state in alerts() if at >= int(after) and state == "CRITICAL"), None)

    def calm() -> bool:
        return all(state == "OK" for state in {what: state for _, what, state in alerts()}.values())

    with ended([]) as processes:
        processes.append(staying([program, str(folder / "nagios.cfg")]))
        end = time.monotonic() + 60
        while not (folder / "status.dat").exists():
            if processes[0].poll() is not None or time.monotonic() > end:
                raise BenchError(f"nagios4 did not start: {log.read_text()[-800:] if log.exists() else 'no log'}")
            time.sleep(0.1)
        yield Watching(told=told, calm=calm)
