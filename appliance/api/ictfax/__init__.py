"""The ICTFax style interface, ``/ictfax/api`` (and ``/api``): the box's jobs as that system shows them.

A *document* there is a stored document here, a *program* a stored document under a name, a
*transmission* a job (made held, handed in by ``send``) or a received fax, *contacts* and *groups* are
the phone book, a *campaign* is a broadcast to a group, *accounts* and *users* are the users of the box.
``objects`` builds them as JSON, ``transmissions`` keeps a transmission's id when it is sent again,
``callback`` builds the message at the end of a fax, ``door`` is the bottle application.
docs/api-ictfax.md describes it for integrators.
"""
