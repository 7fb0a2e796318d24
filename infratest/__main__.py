"""`python -m infratest`: the command line, where no program of that name is in PATH."""

from infratest.cli.main import main

main()
