"""The box's own interface, ``/api/v1``: routes declared as data, thin handlers, OpenAPI made from both.

``routes``    what a route is; ``table`` lists all; ``openapi`` describes them; ``door`` runs a request
``checking``  checks a request against its schemas; ``schemas``, ``views`` define the JSON
the others    the handlers, one module for each kind of resource
"""
