"""The subcommands of ``faxbox``, a module for each."""
