"""Lock files for infratest: jobs that died and left one behind, seen, told and healed."""
