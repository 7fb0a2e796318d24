"""JUnit XML as continuous integration reads it: a test suite for each feature, a test case for each scenario and host.

Loaded by name (`--format junit:PATH`). Written for the stricter of the schemas in use (Ant's: time stamps without a
zone, attributes always there); the order inside a test case is pytest's, which all known readers take.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from infratest.cleaning import clean
from infratest.model import Report, Result, StepResult
from infratest.outputs._evidence import lines as evidence_lines
from infratest.outputs._mistakes import mistakes
from infratest.outputs._shares import shares
from infratest.outputs.base import Output
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING
from infratest.units import counted

Element = ElementTree.Element

#: State -> the element that says so; warning passes, as its table of faces has it. JUnit has no word for what is
#: waived: readers show a skipped case with its message, and count it as neither passed nor failed.
FACES = {CRITICAL: "failure", UNKNOWN: "error", WAIVED: "skipped", SKIPPED: "skipped"}
TEXT_LIMIT = 20000


class Junit(Output):
    """The report as test suites."""

    def render(self, report: Report) -> str:
        """Return the document, ending in a line break."""
        seconds = shares(report)
        hosts = {result.id: result for result in report.results if not result.feature}
        features: dict[str, list[Element]] = {}
        for result in report.results:
            if result.id not in hosts:
                blocker = hosts.get(result.blocked_by or "")
                features.setdefault(result.feature, []).append(_case(result, seconds[result.id], blocker))
        suites = [_suite(name, cases, report, list(hosts.values())) for name, cases in features.items()]
        if report.state in (CRITICAL, UNKNOWN) and not any(_red(suite) for suite in suites):
            suites.append(_suite("infratest", [_no_verdict(report)], report, list(hosts.values())))
        root = Element("testsuites", _totals(suites) | {"name": _name(report), "time": _seconds(report.duration)})
        root.extend(suites)
        ElementTree.indent(root)
        body = ElementTree.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _suite(name: str, cases: list[Element], report: Report, hosts: Sequence[Result]) -> Element:
    """Return a suite; hosts that could not be asked are no test cases, and stand in its properties."""
    counts = {"tests": len(cases)}
    counts |= {kind + "s": sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error")}
    counts["skipped"] = sum(case.find("skipped") is not None for case in cases)
    suite = Element("testsuite", {"name": _legal(name)} | {key: str(value) for key, value in counts.items()})
    suite.set("time", _seconds(sum(float(case.get("time", "0")) for case in cases)))
    suite.set("timestamp", report.started[:19])
    suite.set("hostname", _name(report))
    properties = ElementTree.SubElement(suite, "properties")
    down = [(f"host.{host.host}", f"{host.state}: {clean(host.reason, 500)}") for host in hosts]
    accepted = sum(case.find("skipped") is not None and case.find("properties") is not None for case in cases)
    for key, value in (("stack", report.stack), ("env", report.env), ("waived", str(accepted)), *down):
        ElementTree.SubElement(properties, "property", {"name": _legal(key), "value": _legal(value)})
    suite.extend(cases)
    return suite


def _case(result: Result, seconds: float, blocker: Result | None) -> Element:
    name = result.scenario if result.host == "-" else f"{result.scenario} @ {result.host}"
    attributes = {"classname": _legal(result.feature), "name": _legal(name)}
    if not result.feature.startswith("@"):  # a ready-made feature is no file of the project
        attributes |= {"file": _legal(result.feature), "line": str(result.line)}
    case = Element("testcase", attributes | {"time": _seconds(seconds)})
    reason = _reason(result, blocker)
    if result.state in (WARNING, WAIVED):
        properties = ElementTree.SubElement(case, "properties")
        ElementTree.SubElement(properties, "property", {"name": "state", "value": result.state})
    if result.state in FACES:
        said = ElementTree.SubElement(case, FACES[result.state], {"message": reason})
        if result.state not in (WAIVED, SKIPPED):
            said.set("type", "blocked" if result.blocked_by is not None else result.state)
            said.text = _details(result)
    if result.state in (WARNING, WAIVED):
        words = reason if result.state == WAIVED else f"{WARNING}: {reason}"  # a waiver's reason begins with its state
        ElementTree.SubElement(case, "system-out").text = f"{words}\n{_details(result)}"
    return case


def _no_verdict(report: Report) -> Element:
    """Return the case that keeps a run from being green when it judged nothing."""
    attributes = {"classname": "infratest", "name": "the run", "time": _seconds(report.duration)}
    case = Element("testcase", attributes)
    nothing = "every scenario was skipped or waived" if report.waived else "every scenario was skipped"
    why = report.problem or (nothing if report.results else "no scenario is selected")
    first, *others = mistakes(why)
    more = f" (and {counted(len(others), 'more mistake')})" if others else ""  # an attribute has no lines
    said = ElementTree.SubElement(
        case, "error", {"message": _legal(clean(first.text, 500)) + more, "type": report.state}
    )
    said.text = _legal(clean(why, TEXT_LIMIT, lines=True))
    return case


def _reason(result: Result, blocker: Result | None) -> str:
    if result.blocked_by is None:
        return _legal(clean(result.reason or result.state, 500))
    why = f": {blocker.reason}" if blocker is not None and blocker.reason else ""
    return _legal(clean(f"blocked by {result.blocked_by}{why}", 500))


def _details(result: Result) -> str:
    """Return each sentence that does not hold, where it stands, and the evidence for it."""
    place = f"{result.feature}:{result.line} " if result.line else ""
    lines = [place + (result.scenario if result.host == "-" else f"{result.scenario} @ {result.host}")]
    for step in result.steps:
        if step.state != OK:
            lines += _step(result, step)
    if result.runbook:
        lines.append(f"runbook: {result.runbook}")
    return _legal(clean("\n".join(lines), TEXT_LIMIT, lines=True))


def _step(result: Result, step: StepResult) -> list[str]:
    lines = [f"{result.feature}:{step.line} {step.text}", f"  {step.state}: {step.reason}"]
    for evidence in step.evidence:
        ended = "no exit status" if evidence.exit is None else f"exit {evidence.exit}"
        lines.append(f"  $ {evidence.command} ({ended})")
        lines += [f"  > {line}" for line in evidence_lines(evidence, 1, step.text)]
    return lines


def _red(suite: Element) -> bool:
    return (suite.get("failures"), suite.get("errors")) != ("0", "0")


def _totals(suites: list[Element]) -> dict[str, str]:
    keys = ("tests", "failures", "errors", "skipped")
    return {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in keys}


def _name(report: Report) -> str:
    return _legal(report.place)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _legal(text: str) -> str:
    """Return text without the characters that XML 1.0 (section 2.2, Char) cannot hold at all."""
    return "".join(
        character if character in "\t\n" or " " <= character < "\ud800" or "\ue000" <= character < "\ufffe"
        or character > "\uffff" else "\ufffd"
        for character in text
    )  # fmt: skip
