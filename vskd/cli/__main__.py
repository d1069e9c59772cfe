"""`python -m vskd.cli`, for an environment whose scripts are not on the path."""

from vskd.cli.entry import main

if __name__ == "__main__":
    main()
