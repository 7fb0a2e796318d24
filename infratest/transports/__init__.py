"""Ways to run a command on a host, one file each; `base.py` is the contract."""
