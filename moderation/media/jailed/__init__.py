"""Programs that run inside the sandbox, and the lock they turn behind themselves.

`lockdown.py` is started as a script, in a process of its own, before any byte of a
picture is read. What stands here may import its neighbours and nothing else of the
project: that process has no path to it.
"""
