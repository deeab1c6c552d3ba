"""The daemon: ``faxbox serve``.

``main``      wires the rooms together and keeps them running
``lines``     makes the lines that the settings name
``housekeeping``  deletes what has expired, watches the room on the disk
``watchdog``  proofs that the box lives
``arguments``  what all words of the command line have in common
``service_manager``  what systemd asks of a service: readiness, sockets, journal
``serving``   the word ``serve``, which forks the exchange before the box is loaded
``box_process``  the box's own process: opens the folder, HTTP and ``main``
"""
