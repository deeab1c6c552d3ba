"""The box's own interface, ``/api/v1``: routes declared as data, thin handlers, OpenAPI made from them.

``routes``    what a route is; ``table`` lists all; ``openapi`` words them; ``door`` leads a request
``checking``  a request against its schemas; ``schemas``, ``views`` what things look like as JSON
the rest      the handlers, a module for each kind of thing
"""
