"""What digits mean where they are dialled: plans, tariffs, emergency numbers, numbers that may be shown.

``plan`` is the numbering plan of a place, and what some digits mean there.  ``tariffs`` says which numbers
cost more than a call, ``emergency`` which may reach an emergency service, ``dial_on`` what is dialled after
the answer, ``caller_id_policy`` which numbers a user may show.  ``library`` is phonenumbers, loaded when the
first number is read.
"""
