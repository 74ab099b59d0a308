"""
Role credentials, from wherever they come, into this kernel.

`sources` says where a set comes from; `broker` fetches, caches and shares role
credentials. `kernel` holds the account in use, `refresh` renews it in the background,
`environment` is the door to `os.environ`, `native_environment` to the C environment behind
it, and `provider` the door to the botocore, boto3 and s3fs sessions that other people
make; `processes` sees to the helper processes of libraries. `pasted` reads keys copied from the portal.
"""
