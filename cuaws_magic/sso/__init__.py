"""
Signing in, and what a sign-in reaches.

`session` chooses the sso-session that is meant, `organisations` knows which there are and
which stand. `login` gives a fresh SSO token: cached, else refreshed, else approved by a
person through `device_flow` or `authorization_code`, which ask through `gateway`; `records` remembers what was
approved. `token_cache` keeps the AWS CLI's own files, read and written by `cache_files`.
`accounts` lists and remembers accounts and roles, `lookup` in several organisations at
once; `targets` resolves what a person types as TARGET.
"""
