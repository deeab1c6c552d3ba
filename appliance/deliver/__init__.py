"""Deliveries: what the box tells others about faxes that ended, and what it takes from e-mail.

Out: ``planner`` puts what follows from an event in the outbox within the event's own transaction, with
``routing`` deciding whose a received fax is and where it goes; ``worker`` drains the outbox through

``webhook``    signed POSTs; ``styles`` is the registry of what they say, by interface
``email_out``  e-mails: ``email_writing`` words them, ``smtp`` sends one, ``pdfs`` makes what is attached
``folder``     received faxes as files in a folder
``printer``    paper; ``paper`` is what goes there besides the pages of a received fax

In: ``listener`` (the box's own SMTP) and ``mailbox`` (IMAP) bring e-mails to ``mail_to_fax``, which decides
and hands them in; ``email_reading`` takes them apart, large ones in the process of ``email_worker``.

``smtp_conversation`` and ``net.watchdog`` bound a conversation with a mail server.

``service`` is all of this as a service of the daemon, and the junk rules as its screen of calls.
docs/deliveries.md describes it for owners and integrators.
"""
