"""What holds for every test: signals reach the programs that tests start, and a busy machine falsifies no property."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell's background job ignores SIGINT, and what nohup starts SIGHUP; so would every program started here, for only a
# handler is not handed down. `nohup ./run test &` must pass as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

settings.register_profile("infratest", deadline=None)  # tests assert counts and values, never times
settings.load_profile("infratest")
