"""The web pages, the JSON interface and the command line: the only room that knows HTTP."""
