"""Real domains of this machine's libvirtd, without KVM where there is none. They boot, so that they are long tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds.libvirtd import libvirtd

MAKES = True
MARKS = (pytest.mark.machines, pytest.mark.timeout(1800))


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with libvirtd(), with_hosts(case_of("libvirt", folder, {})) as made:
        yield made
