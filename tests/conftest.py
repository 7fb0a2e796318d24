"""What holds for every test: Ctrl-C reaches the programs that tests start, and a busy machine falsifies no property."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell's background job ignores SIGINT, and so would every program started here: `./run test &` must pass as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("infratest", deadline=None)  # tests assert counts and values, never times
settings.load_profile("infratest")
