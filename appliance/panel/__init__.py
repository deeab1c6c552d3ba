"""The front panel: lamps, buttons, an optional small display and buzzer.

The panel is a process of its own that watches a running box over its REST interface, as any other client
does.  Without it, or with a board that fails, the box goes on as before.

``settings``  which pins there are, and what they carry
``lamps``     the language of the lamps: what each state of the box looks like
``buttons``   edges of a contact in, presses and holds out
``model``     how the box is, from its answers and events
``core``      puts these together; no I/O, the time is handed in
``board``     the pins, over gpiozero
``screen``    what the display says, and the display itself
``terminal``  the same panel drawn in a terminal, with keys for buttons
``box_client``  reads the box and carries out what a button asks for
``service``   the loop that joins them
``wiring``    the table and the drawing of how it is wired, made from the settings
"""
