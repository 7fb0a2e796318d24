"""The subjects of the oracle, one file each; found by scanning."""
