"""Deliveries: reports of faxes to programs, people, folders and printers, and faxes that come by e-mail.

Out: ``planner`` puts the deliveries that an event causes in the outbox, within the event's own transaction;
``routing`` decides whose a received fax is and where it goes; ``worker`` makes the deliveries through

``webhook``    signed POSTs; ``styles`` is the registry of their bodies, by interface
``email_out``  e-mails: ``email_writing`` writes them, ``smtp`` sends one, ``pdfs`` makes the attachment
``folder``     received faxes as files in a folder
``printer``    paper; ``paper`` draws the reports and the notes above received pages

In: ``listener`` (the box's own SMTP) and ``mailbox`` (IMAP) pass e-mails to ``mail_to_fax``, which decides
and hands them in; ``email_reading`` parses them, large ones in the process of ``email_worker``.

``smtp_conversation`` and ``net.watchdog`` limit a conversation with a mail server.

``service`` runs all of this as a service of the daemon and applies the junk rules to calls.
docs/deliveries.md describes it for owners and integrators.
"""
