"""`python -m customerhub` is the command line."""

from customerhub.cli import main

if __name__ == "__main__":
    main()
