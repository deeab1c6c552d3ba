"""What the owner configures: typed, documented documents in small readable files.

``fields``    how a document kind is described, checked, masked, read from text
``accounts``  users and keys; every other kind is declared by the package that uses it
``files``     what the files say, whichever version wrote them
``storage``   a file under TinyDB that survives a pulled plug
``kept``      the files as they were read last, and changes to them
``store``     ``SettingsStore``, by kinds and by paths
``transfer``  all settings as one document, and back
``secrets``   tokens, passwords, the one-time set-up code
"""
