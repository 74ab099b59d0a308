"""
The AWS files: `~/.aws/config` and `~/.aws/credentials`, read as botocore reads them.

`files` opens and writes them whole, under a lock. `text` parses, `edits` changes one
section and nothing else, and shows the difference. `profiles` plans which profiles there
should be.
"""
