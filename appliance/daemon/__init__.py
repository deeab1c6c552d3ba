"""The daemon: ``faxbox serve``.

``main``      connects the packages and runs the box
``lines``     makes the lines in the settings
``housekeeping``  deletes what has expired, watches the free space on the disk
``watchdog``  checks that the parts of the box respond
``arguments``  what all subcommands have in common
``service_manager``  systemd's interface: readiness, sockets, journal
``serving``   the subcommand ``serve``, which forks the exchange before the box is loaded
``box_process``  the box's own process: opens the folder, HTTP and ``main``
"""
