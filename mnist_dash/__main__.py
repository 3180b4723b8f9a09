"""`python -m mnist_dash`: the command line."""

from mnist_dash.cli import main

if __name__ == "__main__":
    main()
