"""`./run oracle`: real objects, every sentence about each, by every way in, against what others say of them.

It ends with 0 where every answer was right, and with 1 where one was wrong or a part of it could not be made.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.oracle.asking import Asked, ask, subjects
from tests.oracle.ways import WAYS

#: Wrong answers that are printed; the rest is counted.
SHOWN = 1000


def main(words: list[str]) -> int:
    """Ask, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="./run oracle", description=__doc__)
    parser.add_argument(
        "--draw", type=int, default=0, metavar="N", help="ask N questions by each way in (default: all)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which ones are drawn (default: 1)")
    parser.add_argument("--way", action="append", choices=sorted(WAYS), help="only this way in; repeatable")
    parser.add_argument("--subject", action="append", choices=subjects(), help="only this subject; repeatable")
    given = parser.parse_args(words)
    asked = ask(given.subject or subjects(), given.way or list(WAYS), given.draw, given.seed)
    show(asked)
    return 1 if asked.wrong else 0


def cut(text: str) -> str:
    """Return a text on one line, without the middle of a long one."""
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= 240 else f"{text[:120]}...{text[-120:]}"


def show(asked: Asked) -> None:
    """Print how many were asked, of which sentence and by which way in, and the wrong ones."""
    for wrong in asked.wrong[:SHOWN]:
        print(f"wrong: {cut(wrong['sentence'])}")
        print(f"  {wrong['answer']}, right is {wrong['right']}; by {wrong['way']}; object: {cut(wrong['object'])}")
        print(f"  infratest says: {cut(wrong['reason'])}")
    if len(asked.wrong) > SHOWN:
        print(f"... and {len(asked.wrong) - SHOWN} more")
    for title, counts in (("sentence", asked.sentences), ("way in", asked.counts)):
        print(f"asked, by {title}:")
        for name, count in sorted(counts.items()):
            print(f"{count:7} {name}")
    kinds = Counter((wrong["subject"], wrong["way"]) for wrong in asked.wrong)
    for (subject, way), count in sorted(kinds.items()):
        print(f"wrong: {count} about {subject} by {way}")
    print(f"{sum(asked.counts.values())} questions, {len(asked.wrong)} wrong")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
