"""Grey and colour to black and white, by content (docs/pages.md).

``screen``   calls the steps of the method, which are in `c/`
``pale``     stretches scans whose ink is pale everywhere
"""
