"""Run by `apprise` in a process of its own: reads what to send as JSON from standard input, and sends it by apprise.

It imports nothing of infratest. Its status: 0 sent, 1 not sent, 3 no URL that apprise knows.
"""

import json
import logging
import sys


def main() -> int:
    """Send it."""
    asked = json.load(sys.stdin)
    import apprise

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    sender = apprise.Apprise()
    if not sender.add(asked["url"]):
        return 3
    # Always with its format: some services take text for HTML otherwise, that of hosts too.
    result = sender.notify(
        body=asked["body"], title=asked["title"], notify_type=asked["type"], body_format=apprise.NotifyFormat.TEXT
    )
    # By each service: one that is declared optional in its URL counts as sent there, whatever became of it.
    sent = bool(result) and all(any(attempt for attempt in service.attempts) for service in result)
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main())
