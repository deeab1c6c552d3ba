"""Deliveries: what the box tells others about faxes that ended, and what it takes from e-mail.

``planner``   what follows from an event, put in the outbox within the event's own transaction
``routing``   whose a received fax is and where it goes; junk rules (pure decisions)
``worker``    drains the outbox: each delivery in a thread, tries recorded, a few at a time
``webhook``   signed POSTs; ``styles`` is the registry of what they say, by interface
``folder``    received faxes as files in a folder
``service``   all of this as a service of the daemon
"""
