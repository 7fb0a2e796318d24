"""What another monitoring system is told of a stack, one file each; `infratest/exports/base.py` is the contract."""
