"""
The doctor: problems on this machine, and what to do about them.

`gather` looks at the machine once and makes a `snapshot`; `checks` judges it, with the
judgements on the AWS files in `files` and on environment variables in `environment`.
"""
