"""Checks spread beyond this process: what goes to workers as a value, what a worker does, and what comes back."""
