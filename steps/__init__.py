"""The sentences: one file for each vocabulary, found by scanning; they import nothing of behave."""
