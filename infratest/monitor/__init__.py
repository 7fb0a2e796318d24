"""The resident monitor: looks at each scenario when it is due, remembers, and tells who is to be told."""
