"""The real VBoxManage, with the stand-in for power: hosts of an empty disk, each with an sshd behind its port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds.virtualbox import virtualbox_world

MAKES = True
IMAGE = "empty.vdi"


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with virtualbox_world(folder / "virtualbox", guest="sshd") as world:
        world.empty_disk(IMAGE)
        with with_hosts(another(folder)) as made:
            yield made


def another(folder: Path) -> Case:
    """Return a case in the registry that is there."""
    image = Path(os.environ["VBOX_USER_HOME"]).with_name(IMAGE)
    return case_of("virtualbox", folder, {}, image=str(image))
