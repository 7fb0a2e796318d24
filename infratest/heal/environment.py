"""The variables that a hook gets: ours, and those that an existing Nagios event handler expects. Pure.

Called by the heal engine, and by whatever else hands a result to a program.
"""

from __future__ import annotations

from infratest.model import Result

HARD, SOFT = "HARD", "SOFT"


def hook_environment(stack: str, env: str, result: Result, failures: int, confirmed: bool) -> dict[str, str]:
    """Return the variables for a result.

    Args:
        stack, env: names. failures: in a row, this one included. confirmed: whether those are enough for a heal; what
        is not confirmed is what Nagios calls a soft state.
    """
    return {
        "INFRATEST_STACK": stack,
        "INFRATEST_ENV": env,
        "INFRATEST_HOST": result.host,
        "INFRATEST_STATE": result.state,
        "INFRATEST_SCENARIO": result.scenario,
        "INFRATEST_ATTEMPT": str(failures),
        "NAGIOS_SERVICESTATE": result.state.upper(),
        "NAGIOS_SERVICESTATETYPE": HARD if confirmed else SOFT,
        "NAGIOS_SERVICEATTEMPT": str(failures),
        "NAGIOS_HOSTNAME": result.host,
        "NAGIOS_SERVICEDESC": result.scenario,
    }
