"""`infratest`, and `python -m infratest` where no program of that name is in PATH."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while Python still reads it ends it as quietly as later."""
    try:
        from infratest.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("infratest: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
