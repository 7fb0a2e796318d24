"""`python -m benchmarks [--rounds N] [CASE ...]`: run cases, all without a name, and write the tables and the picture.

What a case found replaces what stands of it in docs/benchmarks/results.json; the table and the picture are made anew
from that file.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time

from benchmarks import table
from benchmarks.problem import BenchError

CASES = (
    "plugin", "one_host", "many_hosts", "loop", "own_tests", "scale", "lifecycle", "cloud", "orphans", "monitor",
    "spread", "resident",
)  # fmt: skip


def main() -> int:
    words = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    words.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all without one")
    words.add_argument("--rounds", type=int, default=0, metavar="N", help="counted rounds, instead of each case's own")
    words.add_argument("--only", default="", metavar="NAME,...", help="of `orphans`: these providers alone")
    given = words.parse_args()
    if given.only and given.cases != ["orphans"]:
        words.error("--only goes with the case orphans alone")
    if unknown := [name for name in given.cases if name not in CASES]:
        words.error(f"no case is named {unknown[0]}: there are {', '.join(CASES)}")
    # So that namespaces and processes are taken away in order; what SIGKILL leaves, the next run sweeps away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    worst = 0
    for name in given.cases or CASES:
        began = time.monotonic()
        case = importlib.import_module(f"benchmarks.cases.{name}")
        print(f"bench: {case.TITLE}", file=sys.stderr)
        try:
            only = {"only": given.only.split(",")} if given.only else {}
            outcome = case.run(given.rounds, **only)
        except BenchError as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            worst = 1
            continue
        text = table.keep(name, case.TITLE, outcome, time.monotonic() - began)
        print(text)
    table.write()
    return worst


if __name__ == "__main__":
    sys.exit(main())
