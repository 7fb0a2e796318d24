"""Lets the tests of this folder import what lies beside it."""

from __future__ import annotations
