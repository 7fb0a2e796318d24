"""Questions to facts, one file for each kind of subject; `base.py` is the contract."""
