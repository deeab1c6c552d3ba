"""``faxbox hardware-test``: tries a real box, part by part, and signs what it found.

The tests themselves are ``hardware-tests/``, a pytest suite of their own; here is what they stand on.

``rig``        what there is to try, and who is there to look and press
``suite``      runs the tests and collects what they found
``report``     the report as JSON and PDF
``signing``    the box's key, signatures, and whether one is right
``power_cut``  records that must be there after the plug was pulled
"""
