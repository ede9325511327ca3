"""`python -m kerasface`: the command, where the console script isn't on the path."""

from kerasface.cli import main

if __name__ == "__main__":
    main()
