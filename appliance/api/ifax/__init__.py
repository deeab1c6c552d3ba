"""The iFax style interface, ``/v1``: the box's jobs as that service shows them.

``codes`` maps the box's causes, ``fields`` reads a request's fields, ``faxes`` builds the fax object,
``webhook`` the message at the end of a fax, and ``door`` is the bottle
application.  docs/api-ifax.md describes it for integrators.
"""
