"""What a heal can do, one file each; `infratest/remedies/base.py` is the contract."""
