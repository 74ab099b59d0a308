"""What came of many accounts, as a table, as rows, as a DataFrame."""

from __future__ import annotations

from cuaws_magic.views.many import Run, Runs

LAB = ("lab", "111111111111", "MyRole", "us-west-2")
FIELD = ("field", "222222222222", "MyRole", "us-west-2")


def test_dicts_become_columns_and_lists_of_them_rows():
    """Rows keep their account; a value of another kind, and an error, have a row of their own."""
    runs = Runs((Run(*LAB, value=[{"bucket": "a"}, {"bucket": "b"}]), Run(*FIELD, value={"bucket": "c", "size": 1})))

    rows = [(row["account"], row["bucket"], row.get("size")) for row in runs.records()]
    assert rows == [("lab", "a", None), ("lab", "b", None), ("field", "c", 1)]
    frame = runs.to_frame()
    assert list(frame["bucket"]) == ["a", "b", "c"]
    assert {"account", "id", "role", "region", "error", "seconds"} <= set(frame.columns)

    plain = Runs((Run(*LAB, value=[1, 2]), Run(*FIELD, error="NoAccess: no", seconds=0.5)))
    assert [(row["value"], row["error"], row["seconds"]) for row in plain.records()] == [
        ([1, 2], None, 0.0),
        (None, "NoAccess: no", 0.5),
    ]


def test_an_empty_list_is_a_row():
    """An account without a bucket is not missing from the table."""
    assert [row["value"] for row in Runs((Run(*LAB, value=[]),)).records()] == [[]]


def test_values_by_account():
    """By name; by number where names repeat, with the region where there are several."""
    twin = ("lab", "333333333333", "MyRole", "us-west-2")
    other = ("field", "222222222222", "MyRole", "eu-west-1")

    assert Runs((Run(*LAB, value=1), Run(*FIELD, error="no"))).to_dict() == {"lab": 1}
    assert Runs((Run(*LAB, value=1), Run(*twin, value=2))).to_dict() == {"111111111111": 1, "333333333333": 2}
    assert Runs((Run(*FIELD, value=1), Run(*other, value=2))).to_dict() == {"field us-west-2": 1, "field eu-west-1": 2}


def test_nothing_of_a_value_is_markup():
    """A bucket's name, an error's text are what they are."""
    shown = Runs((Run(*LAB, value="<script>"), Run(*FIELD, error="<b>\x1b[31m"))).mimebundle()

    assert "<script>" not in shown["text/html"]
    assert "<b>" not in shown["text/html"]
    assert "\x1b" not in shown["text/plain"] + shown["text/html"]
