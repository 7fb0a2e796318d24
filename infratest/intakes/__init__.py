"""What a monitor listens to, one file each; `infratest/intakes/base.py` is the contract."""
