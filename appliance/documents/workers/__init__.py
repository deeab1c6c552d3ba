"""The processes that make pages.

``rendering``    the workers of one document, supervised; ``places``: how many run at once
``fork_server``  forks a worker for each job; ``pre_start`` loads beforehand what workers need
``worker``       reads one job, limits itself, makes pages; ``sources`` opens each kind of document
"""
