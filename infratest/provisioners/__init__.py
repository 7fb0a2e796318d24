"""What makes a host what it is, one file each; `infratest/provisioners/base.py` is the contract."""
