"""The iFax style interface, ``/v1``: a surface over the box's one job model.

``codes`` says how the box's causes are called there, ``fields`` reads a request's fields, ``faxes``
builds the fax object, ``webhook`` the message sent when a fax ends, and ``door`` is the bottle
application.  docs/api-ifax.md describes it for integrators.
"""
