"""Ready-made features that a user can run by name, as `@linux-baseline`."""
