"""The demo's phases `drill` and `trust`: a drill proves a heal rule; what changed since takes that away, and gives it
back by another drill.
"""

from __future__ import annotations

import json

from infratest.cli._demo import Demo, demand
from infratest.heal.certificate import path_of
from infratest.heal.ledger import GRANTED

RULE, DRILL = "restart-nginx", "killed-nginx"


def drill(demo: Demo) -> None:
    """a fault on purpose: red, healed by the rule, green; signed, and so the rule may act by itself"""
    public = demo.run("heal", "trust", "--new-key", "--key", _key(demo)).strip()
    demo.changed(demo.stack, "heal:\n", f'heal:\n  trusted-keys: {{you: "{public}"}}\n')
    mode = "    mode: auto "
    demo.changed(demo.stack, mode, f"    proof: {{drill: {DRILL}}}\n    earn: {{approvals: 0}}\n{mode}")
    demand(_in_force(demo).startswith(f"{RULE}: propose (mode auto): nothing was granted; not proven: "),
           "what asks for proof, and has none, acts no longer by itself")  # fmt: skip
    _drilled(demo)
    words = "healed two faults before my eyes"
    said = demo.run("heal", "trust", RULE, "--grant", "auto", "--comment", words, "--key", _key(demo))
    demand(said.startswith(f"{RULE}: auto (mode auto): granted by ") and f"proven by drill {DRILL}" in said,
           "auto: proven by the drill, and granted by a person")  # fmt: skip
    ledger = demo.run(GRANTED, program="cat")
    lines = [json.loads(line) for line in ledger.splitlines()]
    demand([(one["what"], one["rule"], one["level"], one["key"]) for one in lines] == [("grant", RULE, "auto", public)],
           "the ledger has one line, signed with that key")  # fmt: skip


def trust(demo: Demo) -> None:
    """a changed provisioner takes `auto` away; a drill gives it back"""
    script = demo.stack.parent / "provision" / "web.sh"
    end = script.read_text(encoding="utf-8").splitlines(keepends=True)[-1]
    demo.changed(script, end, f"{end}logger -t shop provisioned\n")
    said = _in_force(demo)
    demand(said.startswith(f"{RULE}: propose (mode auto): ") and "a provisioner, or a file that one reads" in said,
           "auto is gone: the rule was proven on other hosts than these scripts make")  # fmt: skip
    demo.run("provision", "--host", "web-*", shown=True)
    _drilled(demo)
    demand(_in_force(demo).startswith(f"{RULE}: auto (mode auto): "), "a drill gave it back, the grant stands")


def _drilled(demo: Demo) -> None:
    """Drill and certify; see that it is on record who acted."""
    certificate = path_of(demo.stack.parent, DRILL)
    before = certificate.read_bytes() if certificate.exists() else b""
    said = demo.run("drill", DRILL, "--certify", "--key", _key(demo))
    demand(f"{DRILL}: 1 of 1 healed; red after " in said, "the fault was seen, and healed by the rule")
    demand(certificate.read_bytes() != before, f"certified anew: {certificate.relative_to(demo.stack.parent)}")
    last = [record for record in demo.session().state.read("heal.jsonl") if record.get("verified")][-1]
    by, act = last.get("approved_by"), last.get("command")
    demand(str(by).startswith("a drill by "), f"on record: {last.get('rule')} on {last.get('host')}, {by}: {act}")


def _in_force(demo: Demo) -> str:
    """Return what the rule may do now, as `infratest heal trust` has it."""
    return demo.run("heal", "trust", RULE)


def _key(demo: Demo) -> str:
    return str(demo.private / "heal.key")
