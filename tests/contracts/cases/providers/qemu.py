"""Real machines under QEMU, which go on from one that was booted before: long tests where there is no KVM."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts

MAKES = True
MARKS = (pytest.mark.machines, pytest.mark.timeout(1800))


def case(folder: Path) -> AbstractContextManager[Case]:
    return with_hosts(case_of("qemu", folder, {}))
