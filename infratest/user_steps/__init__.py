"""A user's own behave steps: how they are loaded, and how scenarios that hold them are run."""
