"""Ways to show or send a report, one file each; `base.py` is the contract."""
