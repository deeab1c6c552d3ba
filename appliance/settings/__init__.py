"""What the owner configures: typed, documented documents in small readable files.

``fields``    how a document kind is described, checked, masked, read from text
``sections``  every section of settings, field by field
``items``     the lists: users, keys, lines, contacts…
``store``     ``SettingsStore``: TinyDB on a storage that survives a pulled plug
``secrets``   tokens, passwords, the one-time set-up code
"""
