"""The ICTFax style interface, ``/ictfax/api`` (and ``/api``): a surface over the box's one job model.

A *document* there is a stored document here, a *program* a stored document under a name, a
*transmission* a job (made held, handed in by ``send``) or a received fax, *contacts* and *groups* are
the phone book, a *campaign* is a broadcast to a group, *accounts* and *users* are the users of the box.
``objects`` shows them, ``transmissions`` keeps a transmission's number through its sendings,
``callback`` words the message sent when a fax ends, ``door`` is the bottle application.
docs/api-ictfax.md describes it for integrators.
"""
