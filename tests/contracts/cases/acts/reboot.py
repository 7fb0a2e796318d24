"""A reboot, on a host whose boot is what a file says: `systemctl reboot` writes another one there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.acts import Case

SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
echo another >boot
"""
#: Stands where the host's own would: the boot is the file's, and so is the time that PID 1 began.
CAT = '#!/bin/sh\ncase $1 in */boot_id) exec /bin/cat boot ;; esac\nexec /bin/cat "$@"\n'
CUT = "#!/bin/sh\necho 1\n"


@contextmanager
def first_boot(folder: Path) -> Iterator[None]:
    """Be in the first boot."""
    (folder / "boot").write_text("one\n")
    yield


CASE = Case(works={}, programs={"systemctl": SYSTEMCTL, "cat": CAT, "cut": CUT}, world=first_boot, log=["reboot"])
