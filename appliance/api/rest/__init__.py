"""The box's own interface, ``/api/v1``: routes declared as data, thin handlers, OpenAPI made from them."""
