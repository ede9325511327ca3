"""The whole experiment as one validated YAML file."""
