"""IPP requests as a client writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.ipp import codec
from appliance.ipp.codec import encode
from appliance.ipp.model import Group, GroupTag, Message, Tag, Value

Attributes = Mapping[str, Sequence[Value]]


def request(
    operation: int,
    job: Attributes | None = None,
    *,
    user: str = "ada",
    language: str = "en",
    more: Attributes | None = None,
    **given: Sequence[Value],
) -> bytes:
    first: dict[str, Sequence[Value]] = {
        "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
        "attributes-natural-language": (Value(Tag.LANGUAGE, language),),
        "printer-uri": codec.uris("ipp://box/ipp/faxout"),
        "requesting-user-name": codec.name(user),
    }
    first |= {name.replace("_", "-"): values for name, values in {**given, **(more or {})}.items()}
    groups = [Group(GroupTag.OPERATION, first)]
    if job is not None:
        groups.append(Group(GroupTag.JOB, job))
    return encode(Message((2, 0), operation, 1, groups))


def to(*uris: str, **more: str) -> Attributes:
    members: dict[str, tuple[Value, ...]] = {
        name.replace("_", "-"): (Value(Tag.TEXT, text),) for name, text in more.items()
    }
    return {
        "destination-uris": tuple(
            Value(Tag.COLLECTION, {"destination-uri": (Value(Tag.URI, uri),), **members}) for uri in uris
        )
    }
