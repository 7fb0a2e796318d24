"""The variables that a hook gets: what it is about, and those that an existing Nagios event handler expects. Pure.

Called by the heal engine, and by whatever else hands a result to a program. None of these is a variable of an option:
`infratest run` in a hook is about the hook's stack, by the variables that `heal_report` puts beside them.
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
        "INFRATEST_RESULT_STACK": stack,
        "INFRATEST_RESULT_ENV": env,
        "INFRATEST_RESULT_HOST": result.host,
        "INFRATEST_RESULT_STATE": result.state,
        "INFRATEST_RESULT_SCENARIO": result.scenario,
        "INFRATEST_RESULT_ID": result.id,
        "INFRATEST_RESULT_ATTEMPT": str(failures),
        "INFRATEST_RESULT_REASON": result.reason,
        "NAGIOS_SERVICESTATE": result.state.upper(),
        "NAGIOS_SERVICESTATETYPE": HARD if confirmed else SOFT,
        "NAGIOS_SERVICEATTEMPT": str(failures),
        "NAGIOS_HOSTNAME": result.host,
        "NAGIOS_SERVICEDESC": result.scenario,
    }
