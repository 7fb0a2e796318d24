"""`file: {from: files/shop.conf, to: /etc/shop.conf, mode: "0644"}`: puts a file on the host, unless it is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.provisioners.base import Provisioner, Target, content

#: Prints the digest and the mode of a file, where there is one.
LOOK = 'sha256sum <"$1" && stat -c %a "$1"'


@dataclass(frozen=True, kw_only=True)
class Options:
    """A file put on the host."""

    from_: str = field(
        metadata={
            "title": "a path", "description": "The file here, relative to the stack file.", "source": True
        }
    )  # fmt: skip
    to: str = field(
        metadata={"title": "an absolute path", "description": "Where it goes on the host.", "pattern": "^/"}
    )
    mode: str = field(
        default="0644",
        metadata={
            "title": 'an octal mode in quotes, such as "0644"',
            "description": "Its mode, quoted: a bare 0644 is the number 644 in YAML.",
            "pattern": "^[0-7]{3,4}$",
        },
    )


class File(Provisioner):
    """`file` puts a file on the host, unless it is there with the same content and mode."""

    options: Options

    def describe(self) -> str:
        return f"file {self.options.from_} to {self.options.to}"

    def apply(self, target: Target, deadline: Deadline) -> bool:
        data, path, mode = content(self.path(self.options.from_)), self.options.to, self.options.mode
        words = decoded(target.transport.run(["sh", "-c", LOOK, "sh", path], deadline, sudo=target.sudo).stdout).split()
        same = len(words) == 3 and words[0] == hashlib.sha256(data).hexdigest() and int(words[2], 8) == int(mode, 8)
        target.progress("file is there" if same else "file put", path)
        if not same:
            target.transport.put(data, path, mode, deadline, target.sudo)
        target.log(f"file {path}: {'was there' if same else 'put'}\n")
        return not same
