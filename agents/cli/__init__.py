"""The command `dispersion`: one file a command, registered in `main`."""
