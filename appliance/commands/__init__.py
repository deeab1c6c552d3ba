"""What the command ``faxbox`` can do, a module for each of its words."""
