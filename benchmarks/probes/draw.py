"""Draws docs/benchmarks/scaling.png: cost over round-trip time and over hosts, ours and the peers'.

    python draw.py RESULTS PICTURE

Runs in the peers' environment, which has matplotlib. What has not been measured is left out of the picture.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend is chosen first: there is no display
from matplotlib.ticker import LogLocator, NullFormatter


def main(results: str, picture: str) -> None:
    with open(results, encoding="utf-8") as file:
        known = json.load(file)
    figure, (first, second, third) = plt.subplots(1, 3, figsize=(15, 5.2), layout="constrained")
    over(first, known.get("one_host"), r"RTT (\d+) ms", "wall", 1000)
    first.set(title="100 checks of one host over SSH", xlabel="round-trip time, ms", ylabel="seconds", yscale="log")
    over(second, known.get("many_hosts"), r"(\d+) hosts", "cpu per host", 1)
    second.set(title="20 checks a host, RTT 10 ms", xlabel="hosts", ylabel="client CPU, ms a host", yscale="log")
    over(third, known.get("many_hosts"), r"(\d+) hosts", "wall", 1000)
    third.set(title="the same, whole run", xlabel="hosts", ylabel="seconds", yscale="log")
    for axes in (first, second, third):
        axes.grid(alpha=0.3, which="both")
        axes.set_xlim(left=0)
        if axes.lines:
            axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.savefig(picture, dpi=100)


def over(axes: Any, case: dict[str, Any] | None, setting: str, value: str, unit: float) -> None:
    """Draw a line for each contestant: `value` over the number in its setting."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for each in (case or {}).get("figures", ()):
        place = re.fullmatch(setting, each["setting"])
        got = each.get(value, each["more"].get(value))
        if place and got is not None:
            lines.setdefault(each["name"], []).append((int(place[1]), got / unit))
    own = iter(("tab:blue", "tab:cyan", "navy", "teal"))
    peers = iter(("tab:orange", "tab:green", "tab:red", "tab:purple", "tab:brown", "tab:gray"))
    for name, points in lines.items():
        points.sort()
        ours = name.startswith(("infratest", "check_infratest"))
        colour = next(own) if ours else next(peers)
        axes.plot(
            [x for x, _ in points], [y for _, y in points], marker="o", label=name,
            linewidth=2.6 if ours else 1.2, markersize=6 if ours else 4, linestyle="-" if ours else "--",
            color=colour,
        )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
