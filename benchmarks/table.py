"""What was measured, written down: docs/benchmarks/results.json, and the table made from it."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

from benchmarks import environment, picture
from benchmarks.figures import Figure, Must, Outcome

FOLDER = environment.ROOT / "docs" / "benchmarks"
RESULTS = FOLDER / "results.json"
TABLE = FOLDER / "README.md"

INTRODUCTION = """\
# What infratest costs, and its peers

Written by `./run bench`; do not edit. Each case again: `./run bench CASE` (its heading names it), as root on a Debian
machine. Medians of whole processes with their children; contestants take turns, round by round. CPU and memory are the
client's, unless a column says `target`. The numbers are of one machine at one time: the ratios are what carries over.
[results.json](results.json) has the same with the limits.

![scaling over hosts and over round-trip time](scaling.png)
"""


def keep(name: str, title: str, outcome: Outcome, seconds: float, again: str = "") -> str:
    """Put a case's outcome into the results file and return it as text. Args: again: its command, if it is no case."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = results()
    known[name] = {
        "title": title,
        "again": again or f"./run bench {name}",
        "of": environment.revision(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds),
        "machine": _machine(),
        **outcome.as_json(),
    }
    # Numbers stay in the order in which a case tells them: it is that of the table's columns.
    text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    return _case(name, known[name])


def results() -> dict[str, Any]:
    """Return what is known of all cases."""
    if not RESULTS.exists():
        return {}
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return known


def write(drawn: bool = True) -> None:
    """Make the table and the picture from the results file. Args: drawn: the picture too."""
    known = results()
    if not known:
        return
    musts = ["## The limits", "", "| case | what | must | aim | measured | |", "| --- | --- | --: | --: | --: | --- |"]
    for name, case in sorted(known.items(), key=lambda item: item[1]["title"]):
        musts += [_must(name, each) for each in case["musts"]]
    parts = [INTRODUCTION, "\n".join(musts) + "\n"]
    parts += [_case(name, case) for name, case in sorted(known.items(), key=lambda item: item[1]["title"])]
    TABLE.write_text("\n".join(parts), encoding="utf-8")
    if drawn:
        picture.draw(RESULTS, FOLDER / "scaling.png")


def _must(name: str, kept: dict[str, Any]) -> str:
    must = Must(**{key: value for key, value in kept.items() if key != "met"})
    sign = "≥" if must.least else "≤"
    aim = f"{must.aim:g}" if must.aim is not None else ""
    limit = f"{sign} {must.limit:g} {must.unit}"
    return f"| [{name}](#{name}) | {must.what} | {limit} | {aim} | {must.got:g} | {must.verdict} |"


def _case(name: str, case: dict[str, Any]) -> str:
    figures = [Figure(**each) for each in case["figures"]]
    more = list(dict.fromkeys(key for each in figures for key in each.more))
    usage = {"CPU ms": "cpu", "wall ms": "wall", "min ms": "low", "MiB": "memory"}
    usage = {name: key for name, key in usage.items() if any(getattr(each, key) is not None for each in figures)}
    names = ["setting", "contestant", "rounds", *usage, *more]
    lines = [f'<a id="{name}"></a>', f"## {case['title']}", ""]
    lines += [f"`{case['again']}` · {case['of']} · {case['when']} · {case['seconds']} s · {case['machine']}", ""]
    lines += [f"| {' | '.join(names)} |", f"| --- | --- | {' | '.join(['--:'] * (len(names) - 2))} |"]
    for each in figures:
        cells = [*(getattr(each, key) for key in usage.values()), *(each.more.get(key) for key in more)]
        note = f" ({each.note})" if each.note else ""
        shown = [each.setting, each.name + note, str(each.rounds), *map(_number, cells)]
        lines.append(f"| {' | '.join(shown)} |")
    lines += ["", *(f"- {note}" for note in case["notes"])]
    lines += [f"- Not to be had here: {each}" for each in case["missing"]]
    return "\n".join(lines) + "\n"


def _number(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine() -> str:
    """Say what the figures were taken on, and how busy it was."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    load = f"load {os.getloadavg()[1]:.1f}"
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}, {load}"
