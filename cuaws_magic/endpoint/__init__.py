"""
Credentials over loopback, for native libraries and child processes: one path for each account and role.

`server` answers as the container-credentials service of AWS does, which every SDK can ask. `request` reads one
question, `answers` writes what comes back. `token_files` keeps what opens a path: a file that only its owner can read.
"""
