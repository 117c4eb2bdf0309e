"""The command `hotline`: thin, a file a group of commands, each with `register(app)`; heavy rooms are imported late."""
