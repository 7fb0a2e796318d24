"""Needs to facts: scripts, connections, and what is asked on this machine without any."""
