"""Servers of EC2 by moto, each with a real sshd behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds import moto_ec2

MAKES = True


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moto_ec2.credentials().items():
            patch.setenv(name, value)
        with with_hosts(case_of("cloud", folder, moto_ec2.options(), **moto_ec2.host_options())) as case:
            yield case
