"""Ways over from other tools: what their files ask, said in sentences."""
