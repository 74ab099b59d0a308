"""
Role credentials, from wherever they come, into this kernel.

`sources` says where a set comes from; `broker` fetches, caches and shares role credentials.
`in_use` is the account in use, `kernel` holds it, `refresh` renews it in the background,
`environment` is the door to `os.environ`, `native_environment` to the C environment behind it, and
`provider` the door to the botocore, boto3 and s3fs sessions that other people make; `shared_files`
is what ours share. `libraries`, `processes` and `pool_workers` see to what libraries keep,
`provider_functions` are what some of them ask, icechunk by `icechunk_credentials`; `followers` are
told of each renewal, `thread_accounts` knows the threads of cells, `remaining` says what still works
as another account, `duckdb_secrets` and `gdal_files` among it. `cached_process` is the shortest way
from the cache to a program. `pasted` reads keys copied from the portal.
"""
