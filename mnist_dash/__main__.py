"""`python -m mnist_dash`: the command line."""

from mnist_dash.cli.main import main

if __name__ == "__main__":
    main(name="python -m mnist_dash")
