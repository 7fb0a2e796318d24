"""Who is told of problems, one file each; `infratest/receivers/base.py` is the contract."""
