"""The box's own interface, ``/api/v1``: routes declared as data, thin handlers, OpenAPI made from them."""

from __future__ import annotations

from appliance.api.rest.door import make_rest

__all__ = ["make_rest"]
