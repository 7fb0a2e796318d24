"""What can be so on a host, one file each; `base.py` is the contract."""
