"""The command line, subject by subject."""
