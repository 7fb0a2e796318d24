"""What a heal can do, one file each; `infratest/heal/base.py` is the contract."""
