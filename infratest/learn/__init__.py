"""Facts of a host said in sentences: what `infratest learn` writes, and what `drift` holds against a host later."""
