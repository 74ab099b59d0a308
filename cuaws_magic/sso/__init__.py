"""
Signing in, and what a sign-in reaches.

`session` chooses the sso-session that is meant. `login` gives a fresh SSO token: cached,
else refreshed, else approved by a person through `device_flow`, which asks through
`gateway`. `token_cache` keeps the AWS CLI's own files. `accounts` lists and remembers
accounts and roles; `targets` resolves what a person types as TARGET.
"""
