"""The settings: typed, documented documents in small readable files.

``fields``    how a document kind is described, checked, masked, read from text
``accounts``  users and keys; every other kind is declared by the package that uses it
``files``     content of the files, of any version
``storage``   a file under TinyDB that survives a power cut
``kept``      the files as last read, and changes to them
``store``     ``SettingsStore``: access by kinds and by paths
``transfer``  export and import of all settings as one document
``secrets``   tokens, passwords, the one-time set-up code
"""
