"""
The AWS files: `~/.aws/config` and `~/.aws/credentials`, read as botocore reads them.

`files` reads and writes them whole, under a lock; `content` is what they say: profiles and
sso-sessions. `text` parses, `edits` changes one
section and nothing else, and shows the difference. `profiles` plans which profiles there
should be.
"""
