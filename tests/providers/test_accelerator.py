"""What makes virtual machines fast: believed only where the processor says so too."""

from __future__ import annotations

import pytest

from infratest.providers._accelerator import in_hardware


@pytest.mark.parametrize(
    ("machine", "processor", "said"),
    [
        ("x86_64", "processor\t: 0\nflags\t\t: fpu vme vmx ssse3\n", True),
        ("x86_64", "processor\t: 0\nflags\t\t: fpu svm\n", True),
        ("x86_64", "processor\t: 0\nflags\t\t: fpu vme nopl hypervisor\nvmx flags\t: ept\n", False),
        ("x86_64", "processor\t: 0\nmodel name\t: vmx\nflags\t\t: fpu\n", False),
        ("x86_64", "", True),
        ("aarch64", "processor\t: 0\nFeatures\t: fp asimd\n", True),
    ],
)
def test_kvm_is_believed_where_the_processor_virtualises_or_does_not_say(machine, processor, said):
    assert in_hardware(machine, processor) is said
