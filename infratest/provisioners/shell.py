"""`shell: provision/web.sh`: a script sent to the host and run there as root."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.provisioners.base import Provisioner, Target, content
from infratest.quoting import quoted

LAST_LINES = 15  # of a script that failed, in the message

#: The script comes by standard input and runs from a file, so that what it starts cannot read the rest of it. The file
#: has no name any more when the script begins: a script that is killed leaves none behind. Before it, up to a line that
#: no value can hold, come the variables: a command line is read by everyone who may list the host's processes.
RUN = """exec 2>&1; umask 077; e= nl='
'
while IFS= read -r line; do [ "$line" = "$END" ] && break; e=$e$line$nl; done
eval "$e"; unset e nl line END
f=$(mktemp) || exit 1
cat >"$f" && exec 3<"$f" || { rm -f "$f"; exit 1; }
rm -f "$f"; umask 022
"$@" /proc/self/fd/3 </dev/null
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """A script that runs on the host as root."""

    script: str = field(
        metadata={
            "title": "the path of a script", "source": True, "short": True,
            "description": "A script, relative to the stack file; it runs on the host as root.",
        }
    )  # fmt: skip


class Shell(Provisioner):
    """`shell` runs a script on the host as root (by sudo where the login is not root's); a `#!` line chooses the
    interpreter, else sh. What it does only the script knows: it counts as a change each time. It finds in its
    environment:

        INFRATEST_STACK_NAME, INFRATEST_ENV_NAME, INFRATEST_HOST_NAME, INFRATEST_ADDRESS
        INFRATEST_ADDRESS_WEB_1   the address of host web-1, and so for every host
        INFRATEST_HOSTS           a line a host: name, address, groups with commas between
        INFRATEST_PARAM_NAME      the parameter `name`, and so for every parameter
    """

    options: Options

    def describe(self) -> str:
        return f"shell {self.options.script}"

    def apply(self, target: Target, deadline: Deadline) -> bool:
        path = self.path(self.options.script)
        script, end = content(path), f"end of variables {os.urandom(12).hex()}"
        exports = "".join(f"export {name}={quoted(value)}\n" for name, value in target.environment.items())
        given = f"{exports}{end}\n".encode("utf-8", "surrogateescape") + script
        command = ["sh", "-c", f"END={quoted(end)}\n{RUN}", "sh", *_interpreter(script)]
        target.progress("running", self.options.script)
        with target.shown():
            result = target.transport.run(command, deadline, given, target.sudo)
        output = clean(decoded(result.stdout + result.stderr), limit=1_000_000, lines=True)
        target.log(f"$ {path.name} (exit {result.exit}, {result.seconds:.1f} s)\n{output}\n")
        if result.exit != 0:
            name = target.transport.host.name
            last = "\n".join(f"  | {line}" for line in output.splitlines()[-LAST_LINES:]) or "  | (nothing)"
            raise ProviderError(f"{name}: {path} ended with exit {result.exit}; its last lines:\n{last}")
        return True


def _interpreter(script: bytes) -> list[str]:
    """The words of its `#!` line, as a kernel would read it; sh without one."""
    first = decoded(script.split(b"\n", 1)[0][:200])
    words = first[2:].strip().split(maxsplit=1) if first.startswith("#!") else []
    return words or ["sh"]
