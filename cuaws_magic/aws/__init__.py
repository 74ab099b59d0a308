"""
AWS, asked: the only package that sends requests to IAM Identity Center (`sso-oidc`, `sso`) and STS.

`identity_center` has the operations, our values in and out. `transport` sends them, with
retries and pages, at the `request_rate` that the portal allows. `clients` makes the botocore clients, unseen by logs;
`plain_clients` do without them what a first `use` asks.
`service_errors` translates what botocore raises, with
`endpoints` to name where an address comes from. `profile_credentials` asks botocore what
a profile resolves to. `hosts` knows which addresses are AWS's, `start_urls` where an organisation's own
leads; `console_links` makes the addresses that open the console.
"""
