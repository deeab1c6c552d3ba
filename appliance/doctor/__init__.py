"""``faxbox doctor``: checks everything that a box needs, and advises on its findings.

``findings``  the result of a check
``machine``   clock, disk, memory, temperature, power, GPIO
``data``      the data folder, its index and settings, the certificate
``running``   the running box: lines, mail, faults
``bundle``    the support bundle, without secrets, numbers and faxes
"""
