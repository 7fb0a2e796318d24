"""The verbs of the command line, one file each, loaded when asked for."""
