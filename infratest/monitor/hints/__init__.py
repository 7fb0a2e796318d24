"""What gives hints to a monitor: a file for each word of `hints:`; `hinting` runs them."""
