"""What a scenario does to hosts, one file a kind of act; `base.py` is the contract."""
