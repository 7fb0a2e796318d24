"""Where the tests of verbs find the real sshd of the tests."""

from __future__ import annotations
