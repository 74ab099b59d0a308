"""
The doctor: what on this machine would get in the way.

`gather` looks at the machine once and makes a `snapshot`; `checks` judges it, with the
judgements on the AWS files in `files` and on environment variables in `environment`.
"""
