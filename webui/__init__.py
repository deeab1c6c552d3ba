"""The web pages: one more door of the box.

``door``     passes a request to its page: sign-in, scopes, security headers
``visit``    a page's input (a ``Visit``) and output (an ``Answer``)
``drawing``  templates, translated
``files``    style sheet and scripts
``pages``    a small module for each page or family of pages; ``pages.ALL`` lists them
``catalogue``  keeps the translations complete

Pages only show; every change goes through ``/api/v1``, as any other program's, from the scripts in
``static``.
"""
