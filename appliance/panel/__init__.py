"""The front panel: lamps, buttons, an optional small display and buzzer.

The panel is a process of its own that watches a running box over its REST interface, as any other client
does.  The box runs the same without it, or when its board fails.

``settings``  which GPIO pin each part is wired to
``lamps``     the lamp patterns: how each state of the box is shown
``buttons``   edges of a contact in, presses and holds out
``model``     the state of the box, from its answers and events
``core``      joins these; no I/O, the time is passed in
``board``     the pins, over gpiozero
``screen``    what the display says
``ssd1306``   the display itself
``terminal``  the same panel drawn in a terminal, with keys for buttons
``box_client``  reads the state of the box and carries out what a button asks for
``service``   the loop that joins them
``wiring``    the table and the drawing of how it is wired, made from the settings
"""
