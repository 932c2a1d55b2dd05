"""``python -m attendna``: the command line, as launchers such as torchrun start it."""

from attendna.cli.main import main

if __name__ == "__main__":
    main()
