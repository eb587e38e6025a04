"""The door: command line, configuration, run folder; the only part that knows Hydra."""
