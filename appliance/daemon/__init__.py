"""The daemon: ``faxbox serve``, and the commands that work on its folder (``config``, ``key``).

``main``      wires the rooms together and keeps them running
``lines``     makes the lines that the settings name
``commands``  ``add_arguments(subparsers)`` for the command line
"""
