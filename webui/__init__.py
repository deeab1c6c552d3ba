"""The web pages: one more door of the box.

``door``     leads a request to its page: who is asking, what may be shown, security headers
``visit``    what a page gets (a ``Visit``) and gives (an ``Answer``)
``drawing``  templates, translated
``files``    style sheet and scripts
``pages``    a small module for each page or family of pages; ``pages.ALL`` names them
``catalogue``  keeps the translations complete

Pages show; what changes something goes over ``/api/v1`` like any other program's, from the scripts in
``static``.
"""
