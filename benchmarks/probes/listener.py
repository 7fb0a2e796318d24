"""Listens on the ports named on the command line, on 127.0.0.1, and never answers. Part of the checks' background."""

from __future__ import annotations

import signal
import socket
import sys


def main(words: list[str]) -> None:
    listening = []
    for word in words:
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("127.0.0.1", int(word)))
        each.listen()
        listening.append(each)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
