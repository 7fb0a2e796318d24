"""Three hundred lives of a monitor: what it concludes is what the whole history says, and nobody is told otherwise."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.alerting.machine import Life

TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=300,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate),
)
