"""``faxbox doctor``: looks at everything that a box needs, and says what to do about what it finds.

``findings``  what a look finds
``machine``   clock, disk, memory, temperature, power, GPIO
``data``      the data folder, its index and settings, the certificate
``running``   the box that runs on it: lines, mail, what it cannot do
``bundle``    what may be sent to somebody who helps: no secrets, no numbers, no fax
"""
