"""The cases: one file each, named as `./run bench NAME` names it. Each has `TITLE` and `run(rounds) -> Outcome`."""
