"""What is done to a host: one file an act, by the name of what it acts on. Loaded by name."""
