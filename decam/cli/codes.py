"""Exit codes of the command line."""

OK, NOT_ALL, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
