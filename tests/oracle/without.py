"""The forms of sentences that have no oracle yet, and why. A form that has one by now must not stand here."""

from __future__ import annotations

HOSTS = "it compares hosts, and the oracle has one: tests/steps/test_comparison.py has several"

WITHOUT: dict[str, str] = {
    'the file "{path}" is the same on all hosts': HOSTS,
    'the file "{path}" is different on all hosts': HOSTS,
    'the package "{name}" has the same version on all hosts': HOSTS,
    'the sysctl "{name}" is the same on all hosts': HOSTS,
    "the kernel has the same version on all hosts": HOSTS,
    "the distribution is the same on all hosts": HOSTS,
    'the command "{command}" prints the same on all hosts': HOSTS,
    'the command "{command}" prints something different on all hosts': HOSTS,
}
