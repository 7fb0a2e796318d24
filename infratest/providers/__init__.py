"""What makes, halts, lists and removes hosts, one file each; `base.py` is the contract."""
