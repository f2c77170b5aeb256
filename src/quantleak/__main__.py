"""`python -m quantleak` is the command `quantleak`."""

from quantleak.cli import main

if __name__ == "__main__":
    main()
