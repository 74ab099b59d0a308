"""
Other programs that get something of ours when a person asks for it; imported only then.

`duckdb` keeps a secret of a connection fresh. `dask` gives the workers of a cluster the credentials of one
account and every renewal of them; `dask_worker` is what runs there, also where this package is not installed.
`server_extension` takes secrets out of what a Jupyter server saves.
"""
