"""
Libraries: an object keeps the account that it was made with, a new one is the account in use, none is ever another's.

Each row is a process of its own, with keys that live for seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doubles import documented

if TYPE_CHECKING:
    from conftest import Machine

SCENARIO = """
{imports}
use(A)
a = make("of-a")
note("under A", lambda: read(a, "of-a"))
note("B's bucket under A", lambda: read(make("of-b"), "of-b"))
time.sleep(8)
note("after the first keys", lambda: read(a, "of-a"))
use(B)
note("the same object under B", lambda: read(a, "of-a"))
note("a new one under B", lambda: read(make("of-b"), "of-b"))
note("A's bucket under B", lambda: read(make("of-a"), "of-a"))
note("written under B into A's bucket", lambda: write(make("of-a"), "of-a"))
cuaws.release()
note("the same object after release", lambda: read(a, "of-a"))
note("a new one after release", lambda: read(make("of-b"), "of-b"))
from cuaws_magic.commands.context import the_context
def hinted(do):
    try:
        return do()
    except BaseException as error:
        hint = the_context().hints.after(error)
        return "a line of ours" if isinstance(error, cuaws.CuawsError) else getattr(hint, "title", None) or repr(error)
note("the hint", lambda: hinted(lambda: read(make("of-b"), "of-b")))
use(B)
note("after what it says", lambda: read(make("of-b"), "of-b"))
cuaws.logout()
note("the same object after logout", lambda: read(a, "of-a"))
note("a new one after logout", lambda: read(make("of-b"), "of-b"))
"""

KEEPS = {
    "under A": "A",
    "B's bucket under A": "refused",
    "after the first keys": "A",
    "the same object under B": "A",
    "a new one under B": "B",
    "A's bucket under B": "refused",
    "written under B into A's bucket": "refused",
    "the same object after release": "A",
}

# A path or a name is no object: it is read as the account in use.
# A request without a signature is refused.
NOBODY = {"no credentials", "refused"}
BY_NAME = KEEPS | {"the same object under B": "refused", "the same object after release": None}


@dataclass(frozen=True)
class Row:
    """A library: `make(bucket)`, `read(object, bucket)` and `write(object, bucket)`."""

    documentation: str
    imports: str
    expected: dict[str, str]


FSSPEC = """
def read(fs, bucket):
    return fs.cat({path}).decode().split()[1]
def write(fs, bucket):
    fs.pipe({path}[:-5] + "w.csv", b"w")
"""

ROWS = [
    Row(
        "boto3",
        """
def make(bucket):
    return boto3.client("s3")
def read(client, bucket):
    return client.get_object(Bucket=bucket, Key="t.csv")["Body"].read().decode().split()[1]
def write(client, bucket):
    client.put_object(Bucket=bucket, Key="w", Body=b"w")
""",
        KEEPS,
    ),
    Row(
        "s3fs",
        "import s3fs\ndef make(bucket):\n    fs = s3fs.S3FileSystem(use_listings_cache=False)\n    return fs\n"
        + FSSPEC.format(path='f"{bucket}/t.csv"'),
        KEEPS,
    ),
    Row(
        "a caching filesystem of fsspec",
        """
import fsspec, tempfile
def make(bucket):
    return fsspec.filesystem("simplecache", target_protocol="s3", cache_storage=tempfile.mkdtemp())
def read(fs, bucket):
    with fs.open(f"{bucket}/t.csv", "rb") as stream:
        return stream.read().decode().split()[1]
def write(fs, bucket):
    fs.fs.pipe(f"{bucket}/w.csv", b"w")
""",
        KEEPS,
    ),
    Row(
        "a filesystem of fsspec in a folder",
        """
import fsspec
from fsspec.implementations.dirfs import DirFileSystem
def make(bucket):
    return DirFileSystem(path=bucket, fs=fsspec.filesystem("s3"))
"""
        + FSSPEC.format(path='"t.csv"'),
        KEEPS,
    ),
    Row(
        "a subclass of s3fs with a protocol of its own",
        """
import fsspec, s3fs
class Ours(s3fs.S3FileSystem):
    protocol = ("ours",)
fsspec.register_implementation("ours", Ours)
def make(bucket):
    return fsspec.filesystem("ours")
"""
        + FSSPEC.format(path='f"{bucket}/t.csv"'),
        KEEPS,
    ),
    Row(
        "pandas",
        """
import pandas as pd
def make(bucket):
    return None
def read(_, bucket):
    return pd.read_csv(f"s3://{bucket}/t.csv")["x"][0]
def write(_, bucket):
    pd.DataFrame({"x": [1]}).to_csv(f"s3://{bucket}/w.csv")
""",
        BY_NAME,
    ),
    Row(
        "polars, a query",
        """
import polars as pl
def make(bucket):
    return pl.scan_csv(f"s3://{bucket}/t.csv")
def read(query, bucket):
    return query.collect()["x"][0]
def write(query, bucket):
    pl.DataFrame({"x": [1]}).write_parquet(f"s3://{bucket}/w.parquet")
""",
        KEEPS,
    ),
    Row(
        "polars, read at once",
        """
import polars as pl
def make(bucket):
    return None
def read(_, bucket):
    return pl.read_csv(f"s3://{bucket}/t.csv")["x"][0]
def write(_, bucket):
    pl.DataFrame({"x": [1]}).write_csv(f"s3://{bucket}/w.csv")
""",
        BY_NAME,
    ),
    Row(
        "pyarrow",
        """
from pyarrow import fs
def make(bucket):
    return fs.S3FileSystem(endpoint_override=HOST, scheme="http", region="us-west-2")
def read(one, bucket):
    return one.open_input_file(f"{bucket}/t.csv").read().decode().split()[1]
def write(one, bucket):
    with one.open_output_stream(f"{bucket}/w.csv") as stream:
        stream.write(b"w")
""",
        KEEPS,
    ),
    Row(
        "obstore, from the environment",
        """
import obstore
from obstore.store import S3Store
def make(bucket):
    return S3Store(bucket)
def read(store, bucket):
    return bytes(obstore.get(store, "t.csv").bytes()).decode().split()[1]
def write(store, bucket):
    obstore.put(store, "w.csv", b"w")
""",
        KEEPS,
    ),
    Row(
        "obstore, with our provider",
        """
import obstore
from obstore.store import S3Store
def make(bucket):
    account = {"A": A, "B": B}[cuaws.whoami().account == "111111111111" and "A" or "B"]
    return S3Store(bucket, credential_provider=cuaws.credential_provider(account))
def read(store, bucket):
    return bytes(obstore.get(store, "t.csv").bytes()).decode().split()[1]
def write(store, bucket):
    obstore.put(store, "w.csv", b"w")
""",
        KEEPS,
    ),
    Row(
        "smart_open",
        """
import smart_open
def make(bucket):
    return None
def read(_, bucket):
    with smart_open.open(f"s3://{bucket}/t.csv") as stream:
        return stream.read().split()[1]
def write(_, bucket):
    with smart_open.open(f"s3://{bucket}/w.csv", "w") as stream:
        stream.write("w")
""",
        BY_NAME,
    ),
    Row(
        "cloudpathlib",
        """
import tempfile
from cloudpathlib import S3Path
def make(bucket):
    return S3Path(f"s3://{bucket}/t.csv")
def read(path, bucket):
    return path.client.client.get_object(Bucket=bucket, Key="t.csv")["Body"].read().decode().split()[1]
def write(path, bucket):
    path.client.client.put_object(Bucket=bucket, Key="w", Body=b"w")
""",
        KEEPS,
    ),
    Row(
        "s3path",
        """
from s3path import S3Path
def make(bucket):
    return S3Path(f"/{bucket}/t.csv")
def read(path, bucket):
    return path.read_text().split()[1]
def write(path, bucket):
    S3Path(f"/{bucket}/w.csv").write_text("w")
""",
        BY_NAME,
    ),
    Row(
        "pathy",
        """
from pathy import Pathy
def make(bucket):
    return Pathy(f"s3://{bucket}/t.csv")
def read(path, bucket):
    return path.read_text().split()[1]
def write(path, bucket):
    Pathy(f"s3://{bucket}/w.csv").write_text("w")
""",
        BY_NAME,
    ),
    Row(
        "zarr",
        """
import zarr
from zarr.storage import FsspecStore
def make(bucket):
    import fsspec
    return FsspecStore.from_url(f"s3://{bucket}/z", storage_options={"use_listings_cache": False})
def read(store, bucket):
    import asyncio
    from fsspec.asyn import sync
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync
    got = sync(store.fs._cat_file(f"{bucket}/t.csv"))
    return got.decode().split()[1]
def write(store, bucket):
    zarr.open_array(store, mode="w", shape=(2,), dtype="i4")[:] = 1
""",
        KEEPS,
    ),
    Row(
        "xarray, on zarr",
        """
import xarray as xr
def data(number):
    return xr.Dataset({"x": ("i", [number])})
def make(bucket):
    try:
        data({"of-a": 1, "of-b": 2}[bucket]).to_zarr(f"s3://{bucket}/xr", mode="w")
    except Exception:
        pass
def read(_, bucket):
    return {1: "A", 2: "B"}[int(xr.open_zarr(f"s3://{bucket}/xr")["x"][0])]
def write(_, bucket):
    data(3).to_zarr(f"s3://{bucket}/w", mode="w")
""",
        BY_NAME,
    ),
    Row(
        "deltalake",
        """
import deltalake, pyarrow as pa
def make(bucket):
    return bucket
def read(_, bucket):
    try:
        table = deltalake.DeltaTable(f"s3://{bucket}/delta")
    except deltalake.exceptions.TableNotFoundError:
        deltalake.write_deltalake(f"s3://{bucket}/delta", pa.table({"x": [bucket[-1].upper()]}))
        table = deltalake.DeltaTable(f"s3://{bucket}/delta")
    return table.to_pyarrow_table()["x"][0].as_py()
def write(_, bucket):
    deltalake.write_deltalake(f"s3://{bucket}/w", pa.table({"x": [1]}))
""",
        BY_NAME,
    ),
    Row(
        "deltalake, an open table",
        """
import deltalake, pyarrow as pa
def make(bucket):
    table = pa.table({"x": [bucket[-1].upper()]})
    if not boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="delta").get("KeyCount"):
        deltalake.write_deltalake(f"s3://{bucket}/delta", table)
    return deltalake.DeltaTable(f"s3://{bucket}/delta")
def read(table, bucket):
    table.update_incremental()
    return table.to_pyarrow_table()["x"][0].as_py()
def write(table, bucket):
    deltalake.write_deltalake(table, pa.table({"x": ["w"]}), mode="append")
""",
        KEEPS,
    ),
    Row(
        "Lance, an open dataset",
        """
import lance, pyarrow as pa
os.environ["AWS_ALLOW_HTTP"] = "true"
def make(bucket):
    if not boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="lance").get("KeyCount"):
        lance.write_dataset(pa.table({"x": [bucket[-1].upper()]}), f"s3://{bucket}/lance")
    return lance.dataset(f"s3://{bucket}/lance")
def read(dataset, bucket):
    return dataset.to_table()["x"][0].as_py()
def write(dataset, bucket):
    lance.write_dataset(pa.table({"x": ["w"]}), f"s3://{bucket}/w")
""",
        KEEPS,
    ),
    Row(
        "TensorStore",
        """
import tensorstore as ts
def spec(bucket):
    return {"driver": "json", "kvstore": {"driver": "s3", "bucket": bucket, "path": "t.json", "endpoint": ENDPOINT,
            "aws_region": "us-west-2"}}
def make(bucket):
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key="t.json", Body=json.dumps(bucket[-1].upper()).encode())
    except Exception:
        pass
    return ts.open(spec(bucket) | {"recheck_cached_data": True}).result()
def read(store, bucket):
    return str(store.read().result().item())
def write(store, bucket):
    store.write("w").result()
""",
        KEEPS,
    ),
    Row(
        "icechunk, from the environment",
        """
import icechunk, zarr
def make(bucket):
    places = dict(bucket=bucket, prefix="ice", region="us-west-2", endpoint_url=ENDPOINT, allow_http=True)
    storage = icechunk.s3_storage(**places, force_path_style=True, from_env=True)
    if not boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="ice").get("KeyCount"):
        repository = icechunk.Repository.create(storage)
        session = repository.writable_session("main")
        zarr.create_array(session.store, name="x", data=__import__("numpy").array([{"of-a": 1, "of-b": 2}[bucket]]))
        session.commit("first")
    return icechunk.Repository.open(storage)
def read(repository, bucket):
    store = repository.readonly_session("main").store
    return {1: "A", 2: "B"}[int(zarr.open_group(store, mode="r")["x"][0])]
def write(repository, bucket):
    session = repository.writable_session("main")
    zarr.open_group(session.store)["x"][0] = 3
    session.commit("second")
""",
        KEEPS,
    ),
    Row(
        "icechunk, with our provider",
        """
import icechunk, zarr
def make(bucket):
    places = dict(bucket=bucket, prefix="ice", region="us-west-2", endpoint_url=ENDPOINT, allow_http=True)
    provider = cuaws.credential_provider(None, "icechunk")
    storage = icechunk.s3_storage(**places, force_path_style=True, get_credentials=provider)
    if not boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="ice").get("KeyCount"):
        repository = icechunk.Repository.create(storage)
        session = repository.writable_session("main")
        zarr.create_array(session.store, name="x", data=__import__("numpy").array([{"of-a": 1, "of-b": 2}[bucket]]))
        session.commit("first")
    return icechunk.Repository.open(storage)
def read(repository, bucket):
    store = repository.readonly_session("main").store
    return {1: "A", 2: "B"}[int(zarr.open_group(store, mode="r")["x"][0])]
def write(repository, bucket):
    session = repository.writable_session("main")
    zarr.open_group(session.store)["x"][0] = 3
    session.commit("second")
""",
        KEEPS,
    ),
    Row(
        "GDAL, its own paths",
        """
import rasterio, rasterio.io, numpy as np
os.environ |= {"AWS_S3_ENDPOINT": HOST, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
os.environ |= {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
def make(bucket):
    value = {"of-a": 1, "of-b": 2}[bucket]
    with rasterio.io.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8") as made:
            made.write(np.array([[value]], "uint8"), 1)
        content = bytes(memory.getbuffer())
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key="t.tif", Body=content)
    except Exception:
        pass
    return f"/vsis3/{bucket}/t.tif"
def read(path, bucket):
    with rasterio.open(path) as opened:
        return {1: "A", 2: "B"}[int(opened.read(1)[0, 0])]
def write(path, bucket):
    raise RuntimeError("403")
""",
        BY_NAME,
    ),
    Row(
        "s3torchconnector, its client",
        """
import s3torchconnectorclient._mountpoint_s3_client as native
def make(bucket):
    return native.MountpointS3Client(region="us-west-2", endpoint=ENDPOINT, force_path_style=True)
def read(client, bucket):
    return b"".join(client.get_object(bucket, "t.csv")).decode().split()[1]
def write(client, bucket):
    stream = client.put_object(bucket, "w.csv")
    stream.write(b"w")
    stream.close()
""",
        KEEPS,
    ),
    Row(
        "awswrangler",
        """
import awswrangler as wr
wr.config.s3_endpoint_url = ENDPOINT
def make(bucket):
    return None
def read(_, bucket):
    return wr.s3.read_csv(f"s3://{bucket}/t.csv")["x"][0]
def write(_, bucket):
    wr.s3.to_csv(__import__("pandas").DataFrame({"x": [1]}), f"s3://{bucket}/w.csv")
""",
        BY_NAME,
    ),
    Row(
        "awswrangler, with a session",
        """
import awswrangler as wr
wr.engine.set("python")
wr.memory_format.set("pandas")
wr.config.s3_endpoint_url = ENDPOINT
def make(bucket):
    return boto3.Session()
def read(session, bucket):
    return wr.s3.read_csv(f"s3://{bucket}/t.csv", boto3_session=session)["x"][0]
def write(session, bucket):
    data = __import__("pandas").DataFrame({"x": [1]})
    wr.s3.to_csv(data, f"s3://{bucket}/w.csv", boto3_session=session)
""",
        KEEPS,
    ),
    Row(
        "DuckDB, with our secret",
        """
import duckdb, duckdb_extension_httpfs
from pathlib import Path
(HTTPFS,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
def made():
    connection = duckdb.connect()
    connection.execute(f"LOAD '{HTTPFS}'")
    return connection
def make(bucket):
    account = {"111111111111": A, "222222222222": B}[cuaws.whoami().account]
    connection = made()
    cuaws.duckdb(connection, account, scope="s3://")
    return connection
def read(connection, bucket):
    return connection.execute(f"select x from read_csv('s3://{bucket}/t.csv', header=true)").fetchone()[0]
def write(connection, bucket):
    connection.execute(f"copy (select 1) to 's3://{bucket}/w.csv'")
""",
        KEEPS,
    ),
]


@documented(ROWS)
def test_the_right_account(machine: Machine, case: Row) -> None:
    """Reading and writing, after a renewal, a switch and `release`."""
    steps = machine.run(SCENARIO.format(imports=case.imports))

    assert steps.pop("a new one after release") in NOBODY
    assert steps.pop("a new one after logout") in NOBODY
    assert steps.pop("the hint") in {"No account is in use in this kernel", "a line of ours"}
    assert steps.pop("after what it says") == "B"
    # Until its keys expire, if it is an object: nothing takes back what AWS gave.
    assert steps.pop("the same object after logout") in {case.expected["the same object under B"], *NOBODY}
    if case.expected["the same object after release"] is None:
        assert steps["the same object after release"] in NOBODY
        steps["the same object after release"] = None
    assert steps == case.expected


IN_A_CELL = """
{imports}
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cuaws_magic")
shell.push(dict(make=make, read=read))
def cell(body):
    with capture_output():
        ran = shell.run_cell(f"%%cuaws as {{B}}\\n{{body}}")
    ran.raise_error()
    return ran.result
use(A)
note("before", lambda: read(make("of-a"), "of-a"))
note("in the cell", lambda: cell("inside = make('of-b')\\nread(inside, 'of-b')"))
note("A's bucket in the cell", lambda: cell("read(make('of-a'), 'of-a')"))
note("after it", lambda: read(make("of-a"), "of-a"))
note("B's bucket after it", lambda: read(make("of-b"), "of-b"))
note("what was made in it", lambda: read(shell.user_ns["inside"], "of-b"))
"""


@documented(ROWS)
def test_in_a_cell_of_another_account(machine: Machine, case: Row) -> None:
    """`%%cuaws as`: there the library is that account, and what was made there stays it; afterwards it is as before."""
    steps = machine.run(IN_A_CELL.format(imports=case.imports))

    kept = {"A": "B", "refused": "refused"}[str(case.expected["the same object under B"])]
    assert steps.pop("what was made in it") == kept
    assert steps == {
        "before": "A",
        "in the cell": "B",
        "A's bucket in the cell": "refused",
        "after it": "A",
        "B's bucket after it": "refused",
    }


CHAIN = """
import duckdb, duckdb_extension_aws, duckdb_extension_httpfs
from pathlib import Path
use(A)
connection = duckdb.connect()
for package, name in ((duckdb_extension_httpfs, "httpfs"), (duckdb_extension_aws, "aws")):
    (extension,) = Path(package.__file__).parent.rglob(f"{name}.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
connection.execute("CREATE SECRET mine (TYPE s3, PROVIDER credential_chain, REFRESH auto)")
def said():
    return [line for line in cuaws.status().in_use.notes + cuaws.status().notes if "DuckDB" in line]
note("under A", said)
note("at use B", lambda: [line for line in cuaws.use(B).notes if "DuckDB" in line])
note("under B", said)
note("back to A", lambda: [line for line in cuaws.use(A).notes if "DuckDB" in line])
cuaws.use(B)
cuaws.duckdb(connection, A, name="mine")
note("made anew", lambda: [line for line in cuaws.use(B).notes if "DuckDB" in line])
"""


def test_a_secret_of_duckdbs_own(machine: Machine) -> None:
    """A secret of the SDK's chain that was made under another account is named, and what the line says ends it."""
    steps = machine.run(CHAIN)

    line = (
        "The DuckDB secret mine was made under awsucob0myaccount and may become awsucob0myotheraccount. "
        'To have one that stays what it is, type `cuaws_magic.duckdb(connection, name="mine")`.'
    )
    assert steps == {"under A": [], "at use B": [line], "under B": [line], "back to A": [], "made anew": []}


OPEN_FILES = """
import rasterio, rasterio.io, numpy as np
from rasterio.windows import Window
os.environ |= {"AWS_S3_ENDPOINT": HOST, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
# No more in memory than a block: each one that is read is asked for.
os.environ |= {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": "0", "VSI_CACHE": "FALSE"}
os.environ |= {"CPL_VSIL_CURL_CHUNK_SIZE": "16384", "CPL_VSIL_CURL_CACHE_SIZE": "65536"}
SIZE, BLOCK = 2048, 256
def put():
    noise = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE)).astype("uint8")
    with rasterio.io.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=SIZE, height=SIZE, count=1, dtype="uint8",
            tiled=True, blockxsize=BLOCK, blockysize=BLOCK,
        ) as made:
            made.write(noise, 1)
        content = bytes(memory.getbuffer())
    boto3.client("s3").put_object(Bucket="of-a", Key="t.tif", Body=content)
BLOCKS = {}
def read(opened):
    number = BLOCKS[opened] = BLOCKS.get(opened, 0) + 3
    try:
        opened.read(1, window=Window(number % 8 * BLOCK, number // 8 * BLOCK, BLOCK, BLOCK))
    except rasterio.errors.RasterioIOError:
        return "fails"
    return "A"
use(A)
put()
files = {"a path": rasterio.open("/vsis3/of-a/t.tif"), "a URL": rasterio.open("s3://of-a/t.tif")}
def all_of_them():
    return {name: read(opened) for name, opened in files.items()}
note("under A", all_of_them)
def said(view):
    return [line for line in view.notes if "GDAL" in line]
note("nothing to say", lambda: said(cuaws.use(A)))
note("at use B", lambda: said(cuaws.use(B)))
note("under B", all_of_them)
note("in the status", lambda: len(said(cuaws.status())))
note("back to A", lambda: said(cuaws.use(A)))
time.sleep(8)
note("after the first keys", all_of_them)
use(B)
note("under B, after the first keys", all_of_them)
cuaws.release()
note("after release", all_of_them)
use(A)
with rasterio.Env():
    files = {"in an Env": rasterio.open("s3://of-a/t.tif")}
    note("in an Env", all_of_them)
    time.sleep(8)
    note("in an Env, after the first keys", all_of_them)
files = {"after it": rasterio.open("s3://of-a/t.tif")}
note("after the Env", all_of_them)
for opened in BLOCKS:
    opened.close()
note("all closed", lambda: said(cuaws.use(B)))
"""


def test_open_files_of_gdal(machine: Machine) -> None:
    """
    GDAL looks for credentials at each request: an open file is the account in use, at last when its first keys end.

    rasterio gives GDAL the keys of a URL as they are at the moment, and an `Env` keeps them to its own end. A line at
    `use` names the files that this concerns.
    """
    steps = machine.run(OPEN_FILES)

    both, none = {"a path": "A", "a URL": "A"}, {"a path": "fails", "a URL": "fails"}
    line = (
        "GDAL keeps no account for an open file: it may read /vsis3/of-a/t.tif, s3://of-a/t.tif as "
        "awsucob0myotheraccount, opened under awsucob0myaccount. Close it, or open it again."
    )
    assert steps == {
        "under A": both,
        "nothing to say": [],
        "at use B": [line],
        "in the status": 1,
        "back to A": [],
        "all closed": [],
        "under B": {"a path": "fails", "a URL": "A"},
        "after the first keys": both,
        "under B, after the first keys": none,
        "after release": none,
        "in an Env": {"in an Env": "A"},
        "in an Env, after the first keys": {"in an Env": "fails"},
        "after the Env": {"after it": "A"},
    }
